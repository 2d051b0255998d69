import type { Stages } from './served.ts';

const FRACTIONS = Array.from({ length: 1000 }, (_, thousandths) => {
  const digits = String(thousandths).padStart(3, '0').replace(/0+$/, '');
  return digits === '' ? '' : `.${digits}`;
});

/**
 * The value of a Server-Timing header: `parse;dur=0.02, queue;dur=1.3, batch;dur=0.2, run;dur=0.4, encode;dur=0.01`,
 * in ms to the microsecond. Stages that were not passed are left out; nothing passed is the empty string.
 */
export function serverTiming({ parseMs, queueMs, batchMs, runMs, encodeMs }: Stages): string {
  let text = parseMs > 0 ? `parse;dur=${printMs(parseMs)}` : '';
  if (queueMs > 0) text += `${text === '' ? '' : ', '}queue;dur=${printMs(queueMs)}`;
  if (batchMs > 0) text += `${text === '' ? '' : ', '}batch;dur=${printMs(batchMs)}`;
  if (runMs > 0) text += `${text === '' ? '' : ', '}run;dur=${printMs(runMs)}`;
  if (encodeMs > 0) text += `${text === '' ? '' : ', '}encode;dur=${printMs(encodeMs)}`;
  return text;
}

/** By whole numbers and a table: several times as fast as printing a fraction. */
function printMs(ms: number): string {
  const micros = Math.round(ms * 1000);
  const whole = Math.floor(micros / 1000);
  return whole + FRACTIONS[micros - whole * 1000]!;
}
