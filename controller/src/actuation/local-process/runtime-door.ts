import type { EnvironmentName, RuntimeObservation } from '@switchback-ml/schemas';
import type { Clock } from '../../clock.ts';
import { askRuntime, type Fetch, isAnswering } from '../../observation/ask-runtime.ts';

/** How long one request may take. */
const ANSWER_BOUND_MS = 1000;

/** Where one environment's runtime is to be found on this machine, whichever port it has. */
export interface RuntimeDoor {
  address(port: number): string;
  /** What it says of itself; null when nobody, or another environment's runtime, answers. */
  word(port: number, signal: AbortSignal): Promise<RuntimeObservation | null>;
  isAnswering(port: number, signal: AbortSignal): Promise<boolean>;
  /** Whether it can answer requests for all that it shall serve. */
  isReady(port: number, signal: AbortSignal): Promise<boolean>;
}

export interface RuntimeDoorOptions {
  environment: EnvironmentName;
  host: string;
  token: string;
  clock: Clock;
  fetch: Fetch;
}

export function runtimeDoor({ environment, host, token, clock, fetch }: RuntimeDoorOptions): RuntimeDoor {
  return {
    address,
    word: async (port, signal) => {
      const word = await askRuntime(question(port, signal), token);
      return word.kind === 'word' && word.observation.environment === environment ? word.observation : null;
    },
    isAnswering: (port, signal) => isAnswering(question(port, signal)),
    isReady: async (port, signal) => {
      const bound = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_BOUND_MS)]);
      try {
        const response = await fetch(new URL('/v2/health/ready', address(port)), { signal: bound });
        await response.body?.cancel();
        return response.ok;
      } catch {
        return false;
      }
    },
  };

  function question(port: number, signal: AbortSignal) {
    return { address: address(port), boundMs: ANSWER_BOUND_MS, clock, fetch, signal };
  }

  /** Whoever listens everywhere is asked on the loopback. */
  function address(port: number): string {
    const named = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
    return `http://${named.includes(':') ? `[${named}]` : named}:${port}`;
  }
}
