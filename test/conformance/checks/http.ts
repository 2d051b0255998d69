import { deflateSync, gzipSync } from 'node:zlib';
import { hasStatus, isAnswered, isBlamed, isRefused, sameValues } from '../answers.ts';
import { all, expecting, type Group, type Outcome, sampled, skipped } from '../check.ts';
import { sampleRows } from '../sample.ts';
import { type Answer, type Ask, show } from '../server.ts';
import type { Sampled } from '../subject.ts';
import { countOf, type InferRequest } from '../v2.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
/** At most so much is asked for to get a large answer. */
const MOST_ROWS = 1000;
const MOST_ELEMENTS = 100_000;
/** A shorter answer may not be worth compressing. */
const LARGE_BYTES = 16 * 1024;

export const http: Group = {
  name: 'HTTP',
  checks: [
    {
      name: 'says that its answer is JSON',
      source: 'V2 REST, Inference Request Examples: Content-Type: application/json',
      isBeyond: true,
      look: sampled(async ({ reply }) => isJsonType(reply!)),
    },
    {
      name: 'says that a refusal is application/json, and adds nothing to that',
      source: "As kserve's InferenceRESTClient expects, which else hides the reason",
      isBeyond: true,
      async look({ server }) {
        const answer = await server.ask('/v2/models/no-such-model');
        const type = answer.headers.get('content-type');
        return expecting(type === 'application/json', 'application/json', String(type));
      },
    },
    {
      name: 'answers 405 to a verb that an address does not take',
      source: 'RFC 9110, 405 Method Not Allowed',
      isBeyond: true,
      async look({ server, path }) {
        const [put, got] = [
          await server.ask(`${path}/infer`, { method: 'PUT', headers: JSON_TYPE, body: '{}' }),
          await server.ask(`${path}/infer`),
        ];
        return all(hasStatus(put, 405), hasStatus(got, 405));
      },
    },
    {
      name: 'takes a request whatever its Content-Type says',
      source: "tritonclient sends application/octet-stream or none; Switchback's own (H05)",
      isBeyond: true,
      look: sampled(async subject => {
        const answers = [
          await post(subject, { headers: { 'content-type': 'application/octet-stream' } }),
          await post(subject, { headers: { 'content-type': 'application/json; charset=utf-8' } }),
        ];
        return all(...answers.map(answer => sameValues(answer, subject.answered)));
      }),
    },
    {
      name: 'lets nobody infer who does not say who it is',
      source: "Switchback's own (H01)",
      isBeyond: true,
      look: sampled(async subject => {
        if (!subject.isKeyed) return skipped('no key was given with --key-file or --header');
        const answer = await post(subject, { isAnonymous: true });
        return all(
          expecting([401, 403].includes(answer.status), 'status 401 or 403', show(answer)),
          isRefused(answer),
        );
      }),
    },
  ],
};

export const compression: Group = {
  name: 'Compression',
  checks: [
    {
      name: 'takes a request compressed with gzip',
      source: 'As tritonclient expects: request_compression_algorithm',
      isBeyond: true,
      look: sampled(async subject => takes(subject, 'gzip', gzipSync)),
    },
    {
      name: 'takes a request compressed with deflate',
      source: 'As tritonclient expects: request_compression_algorithm',
      isBeyond: true,
      look: sampled(async subject => takes(subject, 'deflate', deflateSync)),
    },
    {
      name: 'answers in gzip where that is accepted',
      source: 'As tritonclient expects: response_compression_algorithm',
      isBeyond: true,
      look: sampled(async subject => answersIn(subject, 'gzip')),
    },
    {
      name: 'answers in deflate where that is accepted',
      source: 'As tritonclient expects: response_compression_algorithm',
      isBeyond: true,
      look: sampled(async subject => answersIn(subject, 'deflate')),
    },
    {
      name: 'does not compress a refusal',
      source: 'As tritonclient expects, which decompresses answers alone',
      isBeyond: true,
      async look({ server }) {
        const answer = await server.ask('/v2/models/no-such-model', {
          headers: { 'accept-encoding': 'gzip' },
        });
        const encoding = answer.headers.get('content-encoding');
        return all(isRefused(answer), expecting(encoding === null, 'no Content-Encoding', String(encoding)));
      },
    },
    {
      name: "refuses a body that is not what its Content-Encoding says as the caller's fault",
      source: "Switchback's own: stricter",
      isBeyond: true,
      look: sampled(async subject =>
        isBlamed(await post(subject, { headers: { 'content-encoding': 'gzip' } })),
      ),
    },
    {
      name: "refuses a Content-Encoding that it does not know as the caller's fault",
      source: 'RFC 9110, 415 Unsupported Media Type',
      isBeyond: true,
      look: sampled(async subject =>
        isBlamed(await post(subject, { headers: { 'content-encoding': 'x-none' } })),
      ),
    },
  ],
};

async function takes(
  subject: Sampled,
  encoding: string,
  compress: (text: string) => Buffer,
): Promise<Outcome> {
  const body = compress(JSON.stringify(subject.sample));
  return sameValues(
    await post(subject, { headers: { 'content-encoding': encoding }, body }),
    subject.answered,
  );
}

async function answersIn(subject: Sampled, encoding: string): Promise<Outcome> {
  const request = largeRequest(subject);
  const answer = await post(subject, {
    headers: { 'accept-encoding': encoding },
    body: JSON.stringify(request),
  });
  const got = answer.headers.get('content-encoding');
  if (answer.status === 200 && got === null && answer.body.length < LARGE_BYTES)
    return skipped(`its answer of ${answer.body.length} bytes may be too short to be worth compressing`);
  return all(isAnswered(answer), expecting(got === encoding, `Content-Encoding: ${encoding}`, String(got)));
}

function largeRequest({ inputs, sample }: Sampled): InferRequest {
  const one = sampleRows(inputs, 1);
  const elements = (one?.inputs ?? []).reduce((sum, { shape }) => sum + countOf(shape), 1);
  return sampleRows(inputs, Math.min(MOST_ROWS, Math.ceil(MOST_ELEMENTS / elements))) ?? sample;
}

function isJsonType(answer: Answer): Outcome {
  const type = answer.headers.get('content-type');
  return expecting(/^application\/json/.test(type ?? ''), 'application/json', String(type));
}

function post({ server, path, sample }: Sampled, ask: Ask): Promise<Answer> {
  return server.ask(`${path}/infer`, {
    method: 'POST',
    body: JSON.stringify(sample),
    ...ask,
    headers: { ...JSON_TYPE, ...ask.headers },
  });
}
