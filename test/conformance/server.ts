const WITHIN_MS = 15_000;
const LARGEST_ANSWER_BYTES = 64 * 2 ** 20;

/** What came back. */
export interface Answer {
  /** 0: nothing came, and `body` says why. */
  status: number;
  headers: Headers;
  /** Decompressed. */
  body: Buffer;
  /** Of the body; undefined where it is no JSON. */
  json: unknown;
}

export interface Ask {
  method?: string;
  headers?: Readonly<Record<string, string>>;
  body?: string | Uint8Array;
  /** Without what identifies the caller. */
  isAnonymous?: boolean;
}

/** Asks one HTTP server; each answer is bounded in time and size, and none is an exception. */
export interface Server {
  url: string;
  ask(path: string, ask?: Ask): Promise<Answer>;
}

export interface ServerOptions {
  /** Without a slash at its end. */
  url: string;
  /** Sent with each request. */
  headers: Readonly<Record<string, string>>;
  signal: AbortSignal;
}

export function serverAt({ url, headers, signal }: ServerOptions): Server {
  const anonymous = Object.fromEntries(Object.entries(headers).filter(([name]) => !identifiesCaller(name)));
  return {
    url,
    async ask(path, { method = 'GET', headers: more = {}, body, isAnonymous = false } = {}) {
      try {
        const response = await fetch(url + path, {
          method,
          headers: { ...(isAnonymous ? anonymous : headers), ...more },
          ...(body !== undefined && { body }),
          redirect: 'manual',
          signal: AbortSignal.any([signal, AbortSignal.timeout(WITHIN_MS)]),
        });
        const bytes = await bodyOf(response);
        return {
          status: response.status,
          headers: response.headers,
          body: bytes,
          json: jsonIn(bytes, response.headers),
        };
      } catch (error) {
        signal.throwIfAborted();
        return { status: 0, headers: new Headers(), body: Buffer.from(reasonOf(error)), json: undefined };
      }
    },
  };
}

/** Whether a header of this name tells who asks; others, such as those of a tenant, may be needed to be heard at all. */
export function identifiesCaller(name: string): boolean {
  return /(^|[-_])(authorization|auth|api-?key|key|token|secret|cookie)$/i.test(name);
}

/** In a few words, for people. */
export function show({ status, body, headers }: Answer): string {
  if (status === 0) return `no answer: ${body.toString()}`;
  const length = headLengthOf(headers);
  const words = body.subarray(0, length ?? body.length).toString();
  return `${status} ${words.length > 300 ? `${words.slice(0, 300)}…` : words}`.trim();
}

/** How many bytes of the body are JSON, where the answer says so. */
export function headLengthOf(headers: Headers): number | null {
  const header = headers.get('inference-header-content-length');
  return header === null ? null : Number(header);
}

async function bodyOf(response: Response): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.byteLength;
    if (length > LARGEST_ANSWER_BYTES)
      throw new Error(`an answer of more than ${LARGEST_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function jsonIn(body: Buffer, headers: Headers): unknown {
  try {
    return JSON.parse(body.subarray(0, headLengthOf(headers) ?? body.length).toString());
  } catch {
    return undefined;
  }
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  const told = cause instanceof Error ? cause : error;
  return told instanceof Error ? told.message || told.name : String(told);
}
