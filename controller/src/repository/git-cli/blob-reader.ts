import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import type { BlobId } from '@switchback-ml/schemas';
import { SwitchbackError } from '../../error.ts';
import type { BlobContent } from '../repository.ts';
import { damaged, judgeWords } from './damage.ts';
import type { Git } from './run.ts';
import { oneLine } from './words.ts';

const READ_TIMEOUT_MS = 30_000;
/** Of what git says when it gives up. */
const WORDS_LIMIT = 4_000;
const LINE_FEED = 0x0a;

type Reply = { type: string; sizeBytes: number; bytes: Buffer } | null;

interface Pending {
  command: 'info' | 'contents';
  resolve(reply: Reply): void;
  reject(error: unknown): void;
}

/**
 * One long-lived `git cat-file --batch-command`. Requests are answered in order, so many can be under way at once;
 * a size is asked for before the bytes, so that nothing large is ever read. Started on first use, and again after
 * it died or hung.
 */
export class BlobReader implements AsyncDisposable {
  readonly #git: Git;
  #child: ChildProcessWithoutNullStreams | undefined;
  #pending: Pending[] = [];
  #chunks: Buffer[] = [];
  #size = 0;
  /** Bytes that must be there before it is worth looking again. */
  #needed = 0;
  /** Asked in this turn, not sent yet. */
  #lines = '';
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;
  #isOutdated = false;
  /** Readers that were told to end. */
  readonly #ending = new Set<Promise<unknown>>();

  constructor(git: Git) {
    this.#git = git;
  }

  async read(blob: BlobId, limitBytes: number, signal: AbortSignal): Promise<BlobContent> {
    const about = await this.#ask('info', blob, signal);
    if (about === null || about.type !== 'blob') throw notFound(blob);
    if (about.sizeBytes > limitBytes) return { kind: 'too-large', sizeBytes: about.sizeBytes };
    const content = await this.#ask('contents', blob, signal);
    if (content === null) throw notFound(blob);
    return { kind: 'bytes', bytes: content.bytes };
  }

  /** After packs were put together or replaced: what is under way is answered, then another process takes over. */
  restart(): void {
    if (this.#pending.length > 0) this.#isOutdated = true;
    else this.#end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    const child = this.#child;
    if (child !== undefined) {
      const closed = new Promise(resolve => child.once('close', resolve));
      this.#git.kill(child, 'SIGKILL');
      await closed;
    }
    await Promise.all(this.#ending);
  }

  #end(): void {
    const child = this.#child;
    this.#isOutdated = false;
    this.#child = undefined;
    if (child === undefined) return;
    const closed = new Promise(resolve => child.once('close', resolve)).finally(() =>
      this.#ending.delete(closed),
    );
    this.#ending.add(closed);
    this.#git.kill(child, 'SIGKILL');
  }

  #ask(command: Pending['command'], blob: BlobId, signal: AbortSignal): Promise<Reply> {
    signal.throwIfAborted();
    if (this.#isClosed) throw new SwitchbackError('E_GIT_FAILED', 'The repository is closed.');
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    // An aborted request keeps its place: its reply still comes, and is dropped.
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    this.#child ??= this.#start();
    this.#pending.push({ command, resolve, reject });
    this.#send(`${command} ${blob}\n`);
    if (this.#timer === undefined) this.#restartTimer();
    return promise.finally(() => signal.removeEventListener('abort', onAbort));
  }

  /** What is asked in one turn of the event loop goes together, and git answers it together. */
  #send(line: string): void {
    this.#lines += line;
    if (this.#lines.length > line.length) return;
    setImmediate(() => {
      if (this.#lines !== '') this.#child?.stdin.write(`${this.#lines}flush\n`);
      this.#lines = '';
    });
  }

  #start(): ChildProcessWithoutNullStreams {
    const child = this.#git.start(['cat-file', '--batch-command', '--buffer']);
    child.stdout.on('data', (chunk: Buffer) => {
      if (child === this.#child) this.#receive(chunk);
    });
    let words = '';
    child.stderr.on('data', (chunk: Buffer) => {
      words = (words + chunk.toString('utf8')).slice(-WORDS_LIMIT);
    });
    child.stdin.on('error', () => {});
    child.once('error', cause => this.#lose(child, '', cause));
    child.once('close', () => this.#lose(child, this.#git.plain(words)));
    return child;
  }

  #receive(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    if (this.#size < this.#needed) return;
    let rest = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks);
    for (let next = this.#parse(rest); next !== null; next = this.#parse(rest)) rest = rest.subarray(next);
    this.#chunks = rest.length === 0 ? [] : [rest];
    this.#size = rest.length;
  }

  /** Answers the first request from `data`; gives the number of bytes used, or null when they do not suffice. */
  #parse(data: Buffer): number | null {
    this.#needed = 0;
    const end = data.indexOf(LINE_FEED);
    const first = this.#pending[0];
    if (end === -1 || first === undefined) return null;
    const [, type = '', size = ''] = data.toString('latin1', 0, end).split(' ');
    const sizeBytes = Number(size);
    const isFound = type !== 'missing' && Number.isSafeInteger(sizeBytes);
    // The bytes, and the line feed behind them.
    const used = end + 1 + (isFound && first.command === 'contents' ? sizeBytes + 1 : 0);
    if (data.length < used) {
      this.#needed = used;
      return null;
    }
    this.#pending.shift();
    this.#restartTimer();
    const bytes =
      first.command === 'contents' ? Buffer.from(data.subarray(end + 1, used - 1)) : Buffer.alloc(0);
    first.resolve(isFound ? { type, sizeBytes, bytes } : null);
    if (this.#isOutdated && this.#pending.length === 0) this.#end();
    return used;
  }

  #restartTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const child = this.#child;
    if (this.#pending.length === 0 || child === undefined) return;
    this.#timer = setTimeout(() => this.#git.kill(child, 'SIGKILL'), READ_TIMEOUT_MS);
  }

  #lose(child: ChildProcessWithoutNullStreams, words: string, cause?: unknown): void {
    if (child !== this.#child) return;
    this.#child = undefined;
    const lost = this.#pending;
    this.#pending = [];
    // Asked of the one that is gone; the next one must not answer it in place of another.
    this.#lines = '';
    this.#chunks = [];
    this.#size = 0;
    this.#needed = 0;
    this.#restartTimer();
    const error = judgeWords(words) === 'damaged' ? damaged(oneLine(words), cause) : ended(cause);
    for (const request of lost) request.reject(error);
  }
}

function ended(cause: unknown): SwitchbackError {
  return new SwitchbackError(
    'E_GIT_FAILED',
    'git cat-file ended before it answered; it is started again on the next read.',
    { cause },
  );
}

function notFound(blob: BlobId): SwitchbackError {
  return new SwitchbackError(
    'E_GIT_FAILED',
    `The file content ${blob} is not in the clone of the model repository.`,
    { details: { blob, suspicion: 'suspect' } },
  );
}
