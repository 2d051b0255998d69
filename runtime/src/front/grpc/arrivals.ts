import {
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  ServerListenerBuilder,
  status,
} from '@grpc/grpc-js';
import type { Clock } from '../../clock.ts';
import { SwitchbackError } from '../../error.ts';
import { authenticate } from '../access.ts';
import { REQUEST_TIMEOUT_MS } from '../limits.ts';
import { refusal } from './refusal.ts';

export interface ArrivalsOptions {
  /** SHA-256 of each key that may call, as of now. */
  keys: () => readonly string[];
  /** Paths of calls, such as `/package.Service/Method`, that anybody may make. */
  open: ReadonlySet<string>;
  clock: Clock;
}

/**
 * Whose request begins to arrive: nobody without a key gets one byte of it read, and nobody takes longer for it than
 * over HTTP.
 */
export class Arrivals {
  readonly #options: ArrivalsOptions;
  /** Since when each is on its way, as the clock's `elapsed()`; oldest first. */
  readonly #arriving = new Map<ServerInterceptingCallInterface, number>();

  constructor(options: ArrivalsOptions) {
    this.#options = options;
  }

  readonly interceptor: ServerInterceptor = ({ path }, call) => {
    const isOpen = this.#options.open.has(path);
    const listener = new ServerListenerBuilder()
      .withOnReceiveMetadata((metadata, next) => {
        const [authorization] = isOpen ? [] : metadata.get('authorization');
        const refused = isOpen ? null : this.#refusalOf(authorization);
        if (refused !== null) return call.sendStatus(refusal(refused, null));
        this.#arriving.set(call, this.#options.clock.elapsed());
        next(metadata);
      })
      .withOnReceiveHalfClose(next => {
        this.#arriving.delete(call);
        next();
      })
      .withOnCancel(() => this.#arriving.delete(call))
      .build();
    return new ServerInterceptingCall(call, { start: next => next(listener) });
  };

  /** Gives up those that take too long; to be called now and then. */
  giveUpLate(): void {
    const latest = this.#options.clock.elapsed() - REQUEST_TIMEOUT_MS;
    for (const [call, since] of this.#arriving) {
      if (since > latest) return;
      this.#arriving.delete(call);
      const details = `The request did not arrive whole within ${REQUEST_TIMEOUT_MS / 1000} s.`;
      call.sendStatus({ code: status.DEADLINE_EXCEEDED, details });
    }
  }

  #refusalOf(authorization: string | Buffer | undefined): SwitchbackError | null {
    try {
      authenticate(typeof authorization === 'string' ? authorization : undefined, this.#options.keys());
      return null;
    } catch (error) {
      if (error instanceof SwitchbackError) return error;
      throw error;
    }
  }
}
