import { ERROR_CODES, type ErrorCode } from '@switchback-ml/schemas';
import { z } from 'zod';
import { messageOf, SwitchbackError } from '../../error.ts';
import { readControllerFile, readSecret, STATE_FILES } from './state-directory.ts';

const API = '/api/v1alpha1';
const TIMEOUT_MS = 10_000;
const LARGEST_ANSWER_BYTES = 32 * 2 ** 20;

const Problem = z.object({ code: z.string(), detail: z.string().optional(), title: z.string().optional() });

/** The controller's management API, as the holder of the operator's token sees it. */
export interface Management {
  address: string;
  get<Answer>(path: string, schema: z.ZodType<Answer>, options?: RequestOptions): Promise<Answer>;
  post<Answer>(
    path: string,
    body: unknown,
    schema: z.ZodType<Answer>,
    options?: RequestOptions,
  ): Promise<Answer>;
}

interface RequestOptions {
  signal?: AbortSignal;
  /** For long polls; else ten seconds. */
  timeoutMs?: number;
}

/** No controller answers here. Not an error of its own: some verbs then do their work by git. */
export class NoController extends SwitchbackError {
  constructor(message: string, cause?: unknown) {
    super('E_NOT_FOUND', message, { cause });
  }
}

/** The API of the controller whose state directory this is. Throws NoController when none has started. */
export function openManagement(state: string): Management {
  const controller = readControllerFile(state);
  if (controller) {
    const token = readSecret(state, STATE_FILES.operatorToken);
    return management({ address: controller.address, token });
  }
  throw new NoController(
    `No controller runs on ${state}. Start one: switchback up --repo <url or folder> --state ${state}`,
  );
}

export function management({ address, token }: { address: string; token: string }): Management {
  const ask = async <Answer>(
    method: 'GET' | 'POST',
    path: string,
    body: unknown,
    schema: z.ZodType<Answer>,
    { signal, timeoutMs = TIMEOUT_MS }: RequestOptions = {},
  ): Promise<Answer> => {
    const bounds = [AbortSignal.timeout(timeoutMs), ...(signal ? [signal] : [])];
    const response = await send(new URL(API + path, address), {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      redirect: 'error',
      signal: AbortSignal.any(bounds),
    });
    const answer = await readJson(response);
    if (!response.ok) throw problem(response.status, answer);
    const read = schema.safeParse(answer);
    if (read.success) return read.data;
    throw new SwitchbackError(
      'E_INTERNAL',
      `The controller answered ${path} in a form that this version does not know; use the command of the controller's version.`,
      { cause: read.error },
    );
  };
  return {
    address,
    get: (path, schema, options) => ask('GET', path, undefined, schema, options),
    post: (path, body, schema, options) => ask('POST', path, body, schema, options),
  };
}

async function send(url: URL, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (error) {
    init.signal?.throwIfAborted();
    const said = error instanceof Error && error.cause ? messageOf(error.cause) : messageOf(error);
    throw new NoController(
      `The controller at ${url.origin} does not answer (${said}). Start it again: switchback up`,
      error,
    );
  }
}

async function readJson(response: Response): Promise<unknown> {
  const text = await readText(response);
  try {
    return text === '' ? null : JSON.parse(text);
  } catch {
    return null;
  }
}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of response.body ?? []) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > LARGEST_ANSWER_BYTES)
      throw new SwitchbackError('E_INTERNAL', 'The controller answered too much.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** The API's own words and code. */
function problem(status: number, answer: unknown): SwitchbackError {
  const read = Problem.safeParse(answer);
  const known = read.success ? ERROR_CODES.find(code => code === read.data.code) : undefined;
  const fallback: ErrorCode =
    status === 401 ? 'E_UNAUTHENTICATED' : status === 404 ? 'E_NOT_FOUND' : 'E_INTERNAL';
  const words = read.success ? (read.data.detail ?? read.data.title) : undefined;
  return new SwitchbackError(known ?? fallback, words ?? `The controller answered with status ${status}.`);
}
