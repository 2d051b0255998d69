import type { Progress } from '../command/index.ts';
import type { Terminal } from './terminal.ts';

const A_MOMENT_MS = 1000;

/** Says what is being waited for once it takes more than a moment; silent again when disposed. */
export function slowly({ err }: Pick<Terminal, 'err'>): { progress: Progress } & Disposable {
  let doing: string | null = null;
  let timer: NodeJS.Timeout | undefined;
  return {
    progress: next => {
      if (next === doing) return;
      doing = next;
      clearTimeout(timer);
      timer = setTimeout(() => err(`… ${next}\n`), A_MOMENT_MS);
    },
    [Symbol.dispose]: () => clearTimeout(timer),
  };
}
