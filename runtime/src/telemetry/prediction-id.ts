import { randomFillSync } from 'node:crypto';
import { RevisionId } from '@switchback-ml/schemas';

/** Of chance in an id: two of a million million have the same one with a probability of less than one in a million. */
const RANDOM_BYTES = 12;
const POOL_IDS = 512;
const PATTERN = /^([0-9a-f]{12}-[0-9a-f]{8})\.([0-9a-f]{24})$/;

/**
 * Names for predictions: `<revision>.<24 hex>`. What is known later of how right a prediction was can so be told to
 * the revision that made it, without looking anything up.
 */
export function predictionIds(): (revision: string) => string {
  const pool = Buffer.allocUnsafe(POOL_IDS * RANDOM_BYTES);
  let used = pool.length;
  return revision => {
    if (used === pool.length) {
      randomFillSync(pool);
      used = 0;
    }
    used += RANDOM_BYTES;
    return `${revision}.${pool.toString('hex', used - RANDOM_BYTES, used)}`;
  };
}

export interface PredictionId {
  revision: RevisionId;
  /** 24 hexadecimal digits. */
  random: string;
}

/** Null: it is no such id. */
export function parsePredictionId(text: string): PredictionId | null {
  const [, revision, random] = PATTERN.exec(text) ?? [];
  return revision === undefined || random === undefined
    ? null
    : { revision: RevisionId.parse(revision), random };
}
