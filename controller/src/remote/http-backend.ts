import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { Refusal } from './answer.ts';
import { parseCgiHead } from './cgi.ts';
import type { GitRoute } from './route.ts';

/** Given on the command line, so that a bare repository works as it comes. Its hooks are its owner's and run. */
const CONFIG = [
  'http.receivepack=true',
  'uploadpack.allowFilter=true',
  'receive.fsckObjects=true',
  'receive.maxInputSize=2g',
  // Cleaning up would outlive the request that caused it.
  'receive.autogc=false',
].flatMap(setting => ['-c', setting]);
/** In the report that ends a push: one ref at least was moved. */
const MOVED_A_REF = /[0-9a-f]{4}ok refs\//;
const OVERLAP = 12;
const SAID_LIMIT = 2_000;
/** A push with a slow hook may take long, but not for ever. */
const TIMEOUT_MS = 10 * 60_000;
const GRACE_MS = 2_000;

export interface HttpBackendSettings {
  /** Absolute. */
  directory: string;
  onPush(name: string): void;
}

/** `git http-backend` for one request each, streamed both ways. */
export class HttpBackend {
  readonly #directory: string;
  readonly #onPush: (name: string) => void;
  readonly #children = new Set<ChildProcessWithoutNullStreams>();
  #isClosed = false;

  constructor({ directory, onPush }: HttpBackendSettings) {
    this.#directory = directory;
    this.#onPush = onPush;
  }

  async serve(route: GitRoute, request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.#isClosed || !existsSync(join(this.#directory, `${route.name}.git`, 'HEAD')))
      throw new Refusal(404, `There is no repository ${route.name} here.`);
    const child = spawn('git', [...CONFIG, 'http-backend'], {
      cwd: this.#directory,
      env: cgiEnvironment(this.#directory, route, request),
      // Its own process group, so that git's helpers end with it.
      detached: true,
    });
    this.#children.add(child);
    const stop = (): void => end(child, 'SIGTERM');
    const timer = setTimeout(stop, TIMEOUT_MS);
    response.once('close', stop);
    try {
      const moved = await exchange(child, request, response);
      if (moved && route.service === 'git-receive-pack' && !route.isAdvertisement) this.#onPush(route.name);
    } finally {
      clearTimeout(timer);
      // A hook may outlive the git that was stopped.
      if (child.signalCode !== null) killGroup(child, 'SIGKILL');
      this.#children.delete(child);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#children].map(endWithin));
  }
}

/** Resolves when git has ended and its answer is given: whether a ref was moved. */
async function exchange(
  child: ChildProcessWithoutNullStreams,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<boolean> {
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString('utf8')).slice(-SAID_LIMIT);
  });
  // git may end before it has read everything; its answer says why, the broken pipe does not.
  child.stdin.on('error', () => request.unpipe(child.stdin).resume());
  request.pipe(child.stdin);

  const [passed, ended] = await Promise.allSettled([passOn(child.stdout, response), once(child, 'close')]);
  if (ended.status === 'rejected') throw ended.reason;
  if (passed.status === 'rejected') throw passed.reason;
  if (!response.headersSent) throw new Error(`git http-backend ended without an answer: ${said.trim()}`);
  const [code] = ended.value;
  // What git itself ended is a whole conversation, also where it says no; what was killed is not.
  if (code === null) response.destroy();
  else response.end();
  return code === 0 && passed.value;
}

/** Streams a CGI answer, no faster than it is taken. Resolves with whether it reports a moved ref. */
async function passOn(output: Readable, response: ServerResponse): Promise<boolean> {
  let head: Buffer | null = Buffer.alloc(0);
  let tail = '';
  let moved = false;
  for await (const chunk of output as AsyncIterable<Buffer>) {
    let body = chunk;
    if (head !== null) {
      head = Buffer.concat([head, chunk]);
      const parsed = parseCgiHead(head);
      if (parsed === null) continue;
      response.writeHead(parsed.status, parsed.headers);
      body = parsed.rest;
      head = null;
    }
    const text = tail + body.toString('latin1');
    moved ||= MOVED_A_REF.test(text);
    tail = text.slice(-OVERLAP);
    await written(response, body);
  }
  return moved;
}

/** Resolves when there is room for more; also when nobody takes it any more, since the next write then says so. */
async function written(response: ServerResponse, body: Buffer): Promise<void> {
  if (response.destroyed) throw new Error('the client is gone');
  if (body.length === 0 || response.write(body)) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  response.once('drain', resolve).once('close', resolve);
  await promise;
  response.off('drain', resolve).off('close', resolve);
}

/** The variables of CGI, from nothing: none of this machine's git settings. */
function cgiEnvironment(
  directory: string,
  { name, service, isAdvertisement }: GitRoute,
  { method, headers, socket }: IncomingMessage,
): Record<string, string> {
  const given = {
    CONTENT_TYPE: headers['content-type'],
    CONTENT_LENGTH: headers['content-length'],
    HTTP_CONTENT_ENCODING: headers['content-encoding'],
    GIT_PROTOCOL: header(headers['git-protocol']),
  };
  return {
    PATH: process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin',
    LC_ALL: 'C',
    HOME: directory,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_PROJECT_ROOT: directory,
    GIT_HTTP_EXPORT_ALL: '1',
    REQUEST_METHOD: method ?? 'GET',
    PATH_INFO: `/${name}.git/${isAdvertisement ? 'info/refs' : service}`,
    QUERY_STRING: isAdvertisement ? `service=${service}` : '',
    REMOTE_ADDR: socket.remoteAddress ?? '',
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  };
}

function header(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

function isGone(child: ChildProcessWithoutNullStreams): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

function end(child: ChildProcessWithoutNullStreams, signal: NodeJS.Signals): void {
  if (!isGone(child)) killGroup(child, signal);
}

function killGroup(child: ChildProcessWithoutNullStreams, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group is gone already.
  }
}

async function endWithin(child: ChildProcessWithoutNullStreams): Promise<void> {
  if (child.pid === undefined || isGone(child)) return;
  const gone = new Promise<void>(resolve => child.once('close', () => resolve()));
  end(child, 'SIGTERM');
  const killer = setTimeout(() => end(child, 'SIGKILL'), GRACE_MS);
  await gone;
  clearTimeout(killer);
}
