import { Redis } from 'ioredis';
import { SwitchbackError } from '../../error.ts';

/** Commands that Redis has not answered yet, whether somebody still waits for them or not. */
const MOST_UNANSWERED = 256;

export interface ConnectionOptions {
  /** redis://, rediss:// or the path of a socket behind unix://. */
  url: string;
  /** It was there and is gone. Not called when we close it. */
  onLost: () => void;
}

/**
 * One connection at most, opened and closed when we say so: nothing is queued while there is none, nothing is sent
 * twice, and nothing connects by itself.
 */
export class RedisConnection {
  readonly #options: ConnectionOptions;
  #redis: Redis | null = null;
  #unanswered = 0;

  constructor(options: ConnectionOptions) {
    refuseOtherUrls(options.url);
    this.#options = options;
  }

  /** A new connection that has answered. Rejects when there is none within the bound. */
  async open(withinMs: number): Promise<void> {
    this.close();
    const redis = connect(this.#options.url, withinMs);
    this.#redis = redis;
    redis.once('end', () => {
      if (this.#redis !== redis) return;
      this.#redis = null;
      this.#options.onLost();
    });
    await this.#answer(withinMs, () => redis.connect());
    await this.#answer(withinMs, () => redis.ping());
  }

  get hasRoom(): boolean {
    return this.#unanswered < MOST_UNANSWERED;
  }

  /** The first `mostBytes + 1` bytes at most, so that a larger value is known to be one. Empty: there is none. */
  read(name: string, mostBytes: number, withinMs: number): Promise<Buffer> {
    return this.#answer(withinMs, redis => redis.getrangeBuffer(name, 0, mostBytes));
  }

  async write(name: string, bytes: Buffer, forMs: number, withinMs: number): Promise<void> {
    await this.#answer(withinMs, redis => redis.set(name, bytes, 'PX', forMs));
  }

  /** At once: whatever was asked rejects. */
  close(): void {
    const redis = this.#redis;
    this.#redis = null;
    redis?.disconnect();
    // Else it would wait for the other side to agree, and go on taking what that sends.
    redis?.stream?.destroy();
  }

  #answer<T>(withinMs: number, ask: (redis: Redis) => Promise<T>): Promise<T> {
    const redis = this.#redis;
    if (redis === null) return Promise.reject(new Error('there is no connection'));
    this.#unanswered++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        // What arrived while this thread was busy is read first.
        setImmediate(reject, new Error(`no answer within ${withinMs} ms`));
      }, withinMs);
      const settled = (): void => {
        this.#unanswered--;
        clearTimeout(timer);
      };
      ask(redis).then(
        answer => {
          settled();
          resolve(answer);
        },
        (error: unknown) => {
          settled();
          reject(error);
        },
      );
    });
  }
}

function connect(url: string, withinMs: number): Redis {
  const redis = new Redis(url.replace(/^unix:\/\//, ''), {
    protocol: 2,
    lazyConnect: true,
    connectTimeout: withinMs,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    // The first answer says as much as a check of readiness would.
    enableReadyCheck: false,
    disableClientInfo: true,
  });
  // Whoever asked is told by a rejection; an event that nobody hears would be printed.
  redis.on('error', () => {});
  return redis;
}

function refuseOtherUrls(url: string): void {
  const { protocol = '', search = '' } = URL.parse(url) ?? {};
  // A query would be read as options, and those below must hold.
  if (/^(rediss?|unix):$/.test(protocol) && search === '') return;
  throw new SwitchbackError(
    'E_CONFIG',
    'The address of Redis must begin with redis://, rediss:// or unix:///path/of/its/socket and have no query.',
  );
}
