/** Powers of ten that a double holds exactly. */
export const POWERS: readonly number[] = Array.from({ length: 23 }, (_, power) => Number(`1e${power}`));
const LARGEST_POWER = POWERS.length - 1;

const SPLITTER = 2 ** 27 + 1;
const UP = 1 + 2 ** -40;
const DOWN = 1 - 2 ** -40;

/**
 * (lead × 10^tailDigits + tail) / 10^power, rounded once; NaN: that takes other means. Where numerator and power of
 * ten are exact as doubles, so is one division or multiplication of them: W. D. Clinger, "How to read floating point
 * numbers accurately" (1990). Lead and tail have at most nine digits each.
 */
export function decimalValue(lead: number, tail: number, tailDigits: number, power: number): number {
  const whole = tailDigits === 0 ? lead : lead * POWERS[tailDigits]!;
  const digits = whole + tail;
  if (power === 0 && digits <= Number.MAX_SAFE_INTEGER) return digits;
  if (power < -LARGEST_POWER || power > LARGEST_POWER) return Number.NaN;
  if (digits > Number.MAX_SAFE_INTEGER) return power < 0 ? Number.NaN : quotient(whole, tail, power);
  return power < 0 ? digits * POWERS[-power]! : digits / POWERS[power]!;
}

/**
 * (whole + tail) / 10^power, rounded once; NaN where that is too near to call. It is worked out to about a hundred
 * bits, as a sum of two doubles (T. J. Dekker, "A floating-point technique for extending the available precision",
 * 1971); if both ends of what is left of doubt round alike, so does the truth.
 */
function quotient(whole: number, tail: number, power: number): number {
  const high = whole + tail;
  const low = tail - (high - whole);
  const divisor = POWERS[power]!;
  const first = high / divisor;
  const product = first * divisor;
  const rest = high - product - lostBy(first, divisor, product) + low;
  const second = rest / divisor;
  const upper = first + second * UP;
  return upper === first + second * DOWN ? upper : Number.NaN;
}

/** What rounding took from a × b = product. */
function lostBy(a: number, b: number, product: number): number {
  const aUp = a * SPLITTER;
  const aHigh = aUp - (aUp - a);
  const aLow = a - aHigh;
  const bUp = b * SPLITTER;
  const bHigh = bUp - (bUp - b);
  const bLow = b - bHigh;
  return aHigh * bHigh - product + aHigh * bLow + aLow * bHigh + aLow * bLow;
}
