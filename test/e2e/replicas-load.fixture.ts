import { Agent, type ClientRequest, request } from 'node:http';
import type { Socket } from 'node:net';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { OBSERVATION_PATH } from '@switchback-ml/schemas';
import { PATIENCE_MS } from './world.fixture.ts';

/** Between the requests of one caller: enough of them to meet every moment, and no burden to the machine. */
const PACE_MS = 10;
const NEW_CALLERS = 2;
/** More that all go to the same few of at most three runtimes don't happen. */
const KEPT_AT_MOST = 64;
const ANSWER_WITHIN_MS = 30_000;

export interface Asked {
  /** `http://127.0.0.1:4181` */
  address: string;
  /** Of an inference. */
  path: string;
  key: string;
  body: string;
  /** With it a runtime says who it is. */
  runtimeToken: string;
}

/** A first try that was not answered with 200. */
export interface Failure {
  connection: 'new' | 'kept';
  /** When its connection was begun, by `performance.now()`. */
  openedAt: number;
  why: string;
  /** Why the second try failed too; null: it was answered. */
  again: string | null;
}

interface Caller {
  connection: Failure['connection'];
  agent: Agent | false;
  /** At the other end of a kept connection, when that was asked last. */
  pid: number | null;
  isAsking: boolean;
  answered: number;
}

interface Answer {
  openedAt: number;
  status: number;
  body: string;
  /** What broke it off. */
  failure: string | null;
}

/**
 * People who ask one address on and on: some open a connection for each request, others keep one each. What fails is
 * asked a second time.
 */
export class Load implements AsyncDisposable {
  readonly #asked: Asked;
  readonly #callers: Caller[] = [];
  readonly #work: Promise<void>[] = [];
  readonly #watchers = new Set<() => void>();
  readonly #opened = new WeakMap<Socket, number>();
  #failures: Failure[] = [];
  #isOn = true;

  constructor(asked: Asked) {
    this.#asked = asked;
    for (let caller = 0; caller < NEW_CALLERS; caller++) this.#add('new', false);
  }

  /** Adds callers, each with a connection that it keeps, until one is open to each of these processes. */
  async keepOneTo(pids: readonly number[]): Promise<void> {
    const kept = this.#callers.filter(({ connection }) => connection === 'kept');
    await Promise.all(kept.map(caller => this.#meet(caller)));
    const isReached = (pid: number): boolean => kept.some(caller => caller.pid === pid);
    while (!pids.every(isReached)) {
      if (kept.length >= KEPT_AT_MOST) throw new Error(`not all of ${pids.join()} are reached`);
      const caller = this.#add('kept', new Agent({ keepAlive: true, maxSockets: 1 }));
      await this.#meet(caller);
      kept.push(caller);
    }
  }

  /** Resolves once each of the callers has been answered so many times more. */
  more(count: number): Promise<void> {
    const goals = this.#callers.map(caller => ({ caller, answered: caller.answered + count }));
    return this.#when(`${count} more answers to each caller`, () =>
      goals.every(({ caller, answered }) => caller.answered >= answered),
    );
  }

  /** Resolves once a request is aboard this process, which has been stopped: it will not be answered. */
  async aboard(pid: number): Promise<void> {
    const callers = this.#callers.filter(caller => caller.pid === pid);
    // An answer that it gave before may still be on its way.
    await rest();
    await this.#when(`a request to ${pid}`, () => callers.some(({ isAsking }) => isAsking));
  }

  /** Since this was asked last. */
  failures(): Failure[] {
    const failures = this.#failures;
    this.#failures = [];
    return failures;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOn = false;
    await Promise.all(this.#work);
    for (const { agent } of this.#callers) if (agent) agent.destroy();
  }

  #add(connection: Caller['connection'], agent: Caller['agent']): Caller {
    const caller = { connection, agent, pid: null, isAsking: false, answered: 0 };
    this.#callers.push(caller);
    this.#work.push(this.#call(caller));
    return caller;
  }

  async #call(caller: Caller): Promise<void> {
    while (this.#isOn) {
      const first = await this.#infer(caller);
      const why = whyFailed(first);
      await rest();
      if (why === null) caller.answered++;
      else {
        const again = whyFailed(await this.#infer(caller));
        this.#failures.push({ connection: caller.connection, openedAt: first.openedAt, why, again });
      }
      this.#tell();
    }
  }

  #tell(): void {
    for (const look of this.#watchers) look();
  }

  #when(what: string, isSo: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (!isSo()) return;
        finish();
        resolve();
      };
      const timer = globalThis.setTimeout(() => {
        finish();
        reject(new Error(`waited ${PATIENCE_MS / 1000} s in vain for ${what}`));
      }, PATIENCE_MS);
      const finish = (): void => {
        clearTimeout(timer);
        this.#watchers.delete(look);
      };
      this.#watchers.add(look);
      look();
    });
  }

  async #infer(caller: Caller): Promise<Answer> {
    const { path, key, body } = this.#asked;
    caller.isAsking = true;
    this.#tell();
    const answer = await this.#send({ agent: caller.agent, method: 'POST', path, key, body });
    caller.isAsking = false;
    return answer;
  }

  /** Asks on its kept connection who is at the other end. */
  async #meet(caller: Caller): Promise<void> {
    const key = this.#asked.runtimeToken;
    const asked = { agent: caller.agent, method: 'GET', path: OBSERVATION_PATH, key, body: '' };
    const answer = await this.#send(asked);
    const why = whyFailed(answer);
    if (why !== null) throw new Error(`a runtime did not say who it is: ${why}`);
    caller.pid = (JSON.parse(answer.body) as { pid: number }).pid;
  }

  #send(given: { agent: Caller['agent']; method: string; path: string; key: string; body: string }) {
    const { agent, method, path, key, body } = given;
    const headers = { authorization: `Bearer ${key}`, 'content-length': Buffer.byteLength(body) };
    const url = new URL(path, this.#asked.address);
    const sending = request(url, { agent, method, headers, timeout: ANSWER_WITHIN_MS });
    let openedAt = performance.now();
    sending.once('socket', socket => {
      openedAt = this.#opened.get(socket) ?? openedAt;
      this.#opened.set(socket, openedAt);
    });
    const answer = answerTo(sending).then(given => ({ ...given, openedAt }));
    sending.end(body);
    return answer;
  }
}

function answerTo(sending: ClientRequest): Promise<Omit<Answer, 'openedAt'>> {
  return new Promise(resolve => {
    const failed = ({ code = '', message }: NodeJS.ErrnoException): void =>
      resolve({ status: 0, body: '', failure: `${code} ${message}`.trim() });
    sending.once('timeout', () => sending.destroy(new Error(`no answer within ${ANSWER_WITHIN_MS} ms`)));
    sending.on('error', failed);
    sending.once('response', response => {
      let body = '';
      response.setEncoding('utf8').on('data', chunk => (body += chunk));
      response.once('error', failed);
      response.once('end', () => resolve({ status: response.statusCode ?? 0, body, failure: null }));
    });
  });
}

function whyFailed({ status, failure }: Answer): string | null {
  return failure ?? (status === 200 ? null : `status ${status}`);
}

/** What came of a kept connection meanwhile, such as its end, is heard before the next request goes out on it. */
async function rest(): Promise<void> {
  await setTimeout(PACE_MS);
  await setImmediate();
  await setImmediate();
}
