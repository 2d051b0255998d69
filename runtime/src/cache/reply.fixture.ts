import type { CachedReply } from './cache.ts';
import type { ShelfCounts, ShelfLabel } from './store.ts';

export const LABEL: ShelfLabel = { model: 'fraud', revision: '0a1b2c3d4e5f-01234567', digest: 'sha256:0a1b' };

export function aReply(text: string): CachedReply {
  return { headers: ['content-type', 'application/json'], body: Buffer.from(text) };
}

export function noShelfCounts(): ShelfCounts {
  return { tooLarge: 0, evicted: 0, expired: 0 };
}
