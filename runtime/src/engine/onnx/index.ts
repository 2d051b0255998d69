import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Signature } from '@switchback-ml/schemas';
import { messageOf, SwitchbackError } from '../../error.ts';
import type { Engine, EngineEnd, LoadRequest, StartEngine } from '../engine.ts';
import type { Tensors } from '../tensor.ts';
import type { Confinement } from './confinement.ts';
import {
  type Command,
  encodeFrame,
  type Frame,
  frameReader,
  packTensors,
  type Reply,
  unpackTensors,
} from './frame.ts';
import { residentBytes } from './resident.ts';

const PROGRAM = fileURLToPath(new URL('./process.ts', import.meta.url));
const START_TIMEOUT_MS = 10_000;
/** Of one that nobody waits for, which on a busy machine gets hardly any of it. */
const UNAWAITED_START_TIMEOUT_MS = 120_000;
const DEATH_NEWS_MS = 500;
/** Of what an engine last said on stderr: enough for the reason of a crash. */
const LAST_WORDS_CHARS = 2000;

interface Pending {
  timeoutMs: number;
  resolve: (frame: Frame<Reply>) => void;
  reject: (error: SwitchbackError) => void;
}

/**
 * Engines that are child processes holding ONNX Runtime, reached over a nameless Unix socket pair. In `codeFolder` they
 * keep their program as Node has compiled it, which halves what the next start costs; it is for engines alone, since
 * whoever opens a model may write there. Null: nothing is kept.
 */
export function onnxEngines(confinement: Confinement, codeFolder: string | null = null): StartEngine {
  return async (signal, awaited) => {
    signal.throwIfAborted();
    const engine = new OnnxEngine(confinement, codeFolder, awaited === undefined);
    try {
      await engine.started(signal, awaited);
      return engine;
    } catch (error) {
      await engine[Symbol.asyncDispose]();
      throw error;
    }
  };
}

class OnnxEngine implements Engine {
  readonly gone: Promise<EngineEnd>;
  readonly #confinement: Confinement;
  readonly #child: ChildProcess;
  /** Absent when the process could not even be made. */
  readonly #socket: Socket | undefined;
  readonly #read = frameReader<Reply>();
  #pending: Pending[] = [];
  #timer: NodeJS.Timeout | undefined;
  #lastWords = '';
  /** Why we killed it; else the reason is the child's own. */
  #verdict: EngineEnd | null = null;
  #deathReason: string | null = null;

  constructor(confinement: Confinement, codeFolder: string | null, isAwaited: boolean) {
    this.#confinement = confinement;
    const [program, ...args] = [...confinement.launcher, process.execPath, PROGRAM];
    // Nothing of our environment is the graph's business. One pool thread: the engine does no file I/O of its own.
    this.#child = spawn(program!, args, {
      stdio: ['pipe', 'ignore', 'pipe', 'pipe'],
      env: { UV_THREADPOOL_SIZE: '1', ...(codeFolder !== null && { NODE_COMPILE_CACHE: codeFolder }) },
    });
    this.#socket = this.#child.stdio?.[3] as Socket | undefined;
    if (this.pid !== undefined) confinement.precedence.giveWay(this.pid, isAwaited);
    this.gone = this.#watch();
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  async started(signal: AbortSignal, awaited?: Promise<unknown>): Promise<void> {
    const kill = (): void => this.#kill({ cause: 'stopped', reason: 'it was not wanted any more' });
    signal.addEventListener('abort', kill, { once: true });
    try {
      if (awaited === undefined) return void (await this.#await(START_TIMEOUT_MS));
      const started = this.#await(UNAWAITED_START_TIMEOUT_MS);
      await Promise.race([started, awaited]);
      await this.#catchUp();
      this.#waitNoLongerThan(START_TIMEOUT_MS);
      await started;
    } finally {
      signal.removeEventListener('abort', kill);
    }
  }

  /** For what is at the head, from now on. */
  #waitNoLongerThan(timeoutMs: number): void {
    const head = this.#pending[0];
    if (head === undefined) return;
    head.timeoutMs = timeoutMs;
    this.#armTimer();
  }

  async #catchUp(): Promise<void> {
    if (this.pid !== undefined && this.#deathReason === null)
      await this.#confinement.precedence.catchUp(this.pid);
  }

  async load({ path, memoryBytes, timeoutMs }: LoadRequest): Promise<Signature> {
    await this.#limitMemory(memoryBytes);
    const { head } = await this.#ask({ kind: 'load', path }, [], timeoutMs);
    if (head.kind === 'loaded') return Signature.parse(head.signature);
    throw replyError(head, 'E_MODEL_LOAD');
  }

  async infer(inputs: Tensors, timeoutMs: number): Promise<Tensors> {
    const { tensors, parts } = packTensors(inputs);
    const { head, body } = await this.#ask({ kind: 'infer', tensors }, parts, timeoutMs);
    if (head.kind === 'inferred') return unpackTensors(head.tensors, body);
    throw replyError(head, 'E_INTERNAL');
  }

  async residentBytes(): Promise<number | null> {
    return this.pid === undefined || this.#deathReason !== null ? null : residentBytes(this.pid);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#kill({ cause: 'stopped', reason: 'it was stopped' });
    await this.gone;
  }

  #ask(command: Command, parts: readonly Uint8Array[], timeoutMs: number): Promise<Frame<Reply>> {
    const answer = this.#await(timeoutMs);
    if (this.#deathReason === null) {
      this.#socket?.cork();
      for (const chunk of encodeFrame(command, parts)) this.#socket?.write(chunk);
      this.#socket?.uncork();
    }
    return answer;
  }

  #await(timeoutMs: number): Promise<Frame<Reply>> {
    if (this.#deathReason !== null) return Promise.reject(died(this.#deathReason));
    return new Promise((resolve, reject) => {
      this.#pending.push({ timeoutMs, resolve, reject });
      if (this.#pending.length === 1) this.#armTimer();
    });
  }

  /** Only the head runs, so only the head's time counts. */
  #armTimer(): void {
    clearTimeout(this.#timer);
    const head = this.#pending[0];
    // Where this very process was held up, the answer may lie unread in the socket: it is read before judging.
    if (head !== undefined)
      this.#timer = setTimeout(() => setImmediate(() => this.#expire(head)), head.timeoutMs);
  }

  #expire(head: Pending): void {
    if (this.#pending[0] !== head) return;
    this.#pending.shift();
    const reason = `it took longer than ${head.timeoutMs} ms`;
    head.reject(new SwitchbackError('E_ENGINE_TIMEOUT', `The engine was killed because ${reason}.`));
    this.#kill({ cause: 'late', reason });
  }

  #receive(chunk: Buffer): void {
    try {
      for (const frame of this.#read(chunk)) {
        const head = this.#pending.shift();
        this.#armTimer();
        head?.resolve(frame);
      }
    } catch (error) {
      this.#kill({ cause: 'died', reason: `it sent what is no answer: ${messageOf(error)}` });
    }
  }

  #kill(verdict: EngineEnd): void {
    this.#verdict ??= verdict;
    this.#child.kill('SIGKILL');
  }

  #watch(): Promise<EngineEnd> {
    const end = Promise.withResolvers<EngineEnd>();
    const bury = (by: EngineEnd): void => end.resolve(this.#bury(by));
    // First of all: a process that could not be made has nothing else, and says so here.
    this.#child.once('error', (error: NodeJS.ErrnoException) =>
      // The message would name a path of this machine.
      bury({ cause: 'died', reason: `it could not be started: ${error.code ?? 'unknown error'}` }),
    );
    this.#child.once('exit', (code, signal) =>
      bury(this.#verdict ?? { cause: 'died', reason: this.#lastReason(code, signal) }),
    );
    this.#child.stdin?.on('error', () => {});
    this.#child.stderr?.on('error', () => {});
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#lastWords = (this.#lastWords + text).slice(-LAST_WORDS_CHARS);
    });
    // A broken channel means that the process is going, or of no more use: its exit says why.
    this.#socket?.on('error', () => {});
    this.#socket?.on('close', () => this.#child.kill('SIGKILL'));
    this.#socket?.on('data', (chunk: Buffer) => this.#receive(chunk));
    return end.promise;
  }

  #lastReason(code: number | null, signal: NodeJS.Signals | null): string {
    const how = signal === null ? `it exited with code ${code}` : `it was ended by ${signal}`;
    const isMemory = /bad_alloc|out of memory|allocation failed/i.test(this.#lastWords);
    return isMemory ? `${how}, out of memory` : how;
  }

  #bury(end: EngineEnd): EngineEnd {
    const { reason } = end;
    this.#deathReason = reason;
    clearTimeout(this.#timer);
    this.#socket?.destroy();
    this.#child.stdin?.destroy();
    this.#child.stderr?.destroy();
    const aboard = this.#pending;
    this.#pending = [];
    for (const { reject } of aboard) reject(died(reason));
    return end;
  }

  async #limitMemory(bytes: number): Promise<void> {
    const { limitMemory } = this.#confinement;
    if (limitMemory === null || this.pid === undefined) return;
    try {
      await limitMemory(this.pid, bytes);
    } catch (error) {
      // Of a process that is just going nothing can be set; that it went is heard a moment later.
      const end = await Promise.race([this.gone, delay(DEATH_NEWS_MS, null, { ref: false })]);
      if (end !== null) throw died(end.reason);
      const message = `The memory limit of an engine could not be set (${messageOf(error)}); it is tried again.`;
      throw new SwitchbackError('E_ENGINE_START', message, { cause: error });
    }
  }
}

function died(reason: string): SwitchbackError {
  return new SwitchbackError('E_ENGINE_DIED', `The engine is gone: ${reason}.`);
}

function replyError(head: Reply, fallback: 'E_MODEL_LOAD' | 'E_INTERNAL'): SwitchbackError {
  if (head.kind === 'refused') return new SwitchbackError('E_MODEL_LOAD', head.message);
  if (head.kind !== 'failed')
    return new SwitchbackError(fallback, `The engine answered "${head.kind}" to another command.`);
  const what =
    head.code === 'E_MODEL_LOAD' ? 'ONNX Runtime could not open the model' : 'The model could not run';
  const remedy = head.code === 'E_ENGINE_MEMORY' ? ' Raise limits.memory in serving.yaml.' : '';
  return new SwitchbackError(head.code, `${what}: ${head.message}.${remedy}`);
}
