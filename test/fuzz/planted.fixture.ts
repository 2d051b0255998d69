import type { Target } from './target.ts';

/** Fails for one input in sixteen million: whoever finds it was led there letter by letter. */
export const planted: Target = {
  read: bytes => {
    if (bytes[0] !== 0x66) return;
    if (bytes[1] !== 0x75) return;
    if (bytes[2] !== 0x7a) return;
    throw new Error('all three letters');
  },
  examples: ['aaaaaa'],
  words: [],
};
