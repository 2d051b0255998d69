import { join } from 'node:path';
import { readRows } from '../../bench/replay/rows.ts';
import type { Service } from '../../demo/observer/observer.ts';
import { EXAMPLES, MODELS } from './example.ts';
import type { SoakPlace } from './place.ts';

type Recorded = Pick<Service, 'input' | 'rows'>;

/** Column of the mean concavity; the version without an answer has none where it is 0. */
const CONCAVITY = 6;
const SMOOTH_EVERY = 3;

/** Recorded rows into every model of every environment; of tumours prod meets all kinds, the others the everyday ones. */
export async function servicesOf(place: SoakPlace, perSecond: number): Promise<Service[]> {
  const { environments } = await place.status();
  const everyday = recorded('features', 'everyday.csv');
  const tumours = {
    prod: { ...everyday, rows: troubling(recorded('features', 'all.csv').rows) },
    other: everyday,
  };
  const services = environments.map(async ({ name, address }) => {
    const key = await place.secret('keys', name);
    return MODELS.map(model => ({
      environment: name as string,
      address: address ?? '',
      key,
      model,
      ...(OTHERS.get(model) ?? (name === 'prod' ? tumours.prod : tumours.other)),
      perSecond: perSecond / MODELS.length,
    }));
  });
  return (await Promise.all(services)).flat();
}

/** With more of the rare rows that only some versions fail on, so that a canary of few requests meets some. */
function troubling(rows: Recorded['rows']): Recorded['rows'] {
  const smooth = rows.filter(row => row[CONCAVITY] === 0);
  return rows.flatMap((row, index) =>
    index % SMOOTH_EVERY === 0 ? [row, smooth[(index / SMOOTH_EVERY) % smooth.length] ?? row] : [row],
  );
}

const recorded = (input: string, file: string): Recorded => ({
  input,
  rows: readRows(join(EXAMPLES, 'rows', file)),
});

const OTHERS: ReadonlyMap<string, Recorded> = new Map([
  ['digits', recorded('pixels', 'digits.csv')],
  ['wine', recorded('features', 'wine.csv')],
]);
