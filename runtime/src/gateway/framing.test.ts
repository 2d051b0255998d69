import { createServer } from 'node:http';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import {
  answerJson,
  INFER,
  listening,
  rawClient,
  ready,
  startGatewayFixture,
  startScripted,
} from './gateway.fixture.ts';

const GET = 'GET /v2/models/smuggled HTTP/1.1\r\nhost: a\r\n\r\n';

/** A request as it should be, and what may go wrong between two who read the same bytes. */
interface Framing {
  header: string;
  body: string;
}
const sound = fc.constantFrom<Framing[]>(
  { header: 'content-length: 3', body: 'abc' },
  { header: 'transfer-encoding: chunked', body: '3\r\nabc\r\n0\r\n\r\n' },
  { header: 'Transfer-Encoding: CHUNKED', body: '3;x=y\r\nabc\r\n0\r\nx: y\r\n\r\n' },
  { header: 'x: y', body: '' },
);
const odd: fc.Arbitrary<Framing> = fc.record({
  header: fc.constantFrom(
    ...['content-length: 0', 'content-length: 03', 'content-length: +3', 'content-length: 3,3'],
    ...[
      'Content-Length : 3',
      'content-length:\t3\t',
      'transfer-encoding:chunked ',
      ' transfer-encoding: chunked',
    ],
    ...['transfer-encoding: xchunked', 'transfer-encoding: gzip, chunked', 'x', ': y'],
  ),
  body: fc.constantFrom('', 'abc', 'abcdef', '0\r\n\r\n', '3\nabc\n0\n\n', GET),
});
const first = fc.constantFrom(
  ...[
    `POST ${INFER} HTTP/1.0`,
    `POST  ${INFER} HTTP/1.1`,
    `POST ${INFER} HTTP/1.1 `,
    `post ${INFER} HTTP/1.1`,
  ],
  `POST ${INFER}?a=b HTTP/1.1`,
);
const also = fc.constantFrom(
  ...['connection: keep-alive', 'connection: close', 'connection: content-length', 'expect: 100-continue'],
  ...['content-length: 3', 'transfer-encoding: chunked', 'te: trailers', 'x: y', 'x : y', 'x:\ty'],
);
const often = <Value>(usual: fc.Arbitrary<Value>, seldom: fc.Arbitrary<Value>, times: number) =>
  fc.oneof({ weight: times, arbitrary: usual }, { weight: 1, arbitrary: seldom });
const end = often(fc.constant('\r\n'), fc.constantFrom('\n', '\r', '\r\r\n'), 40);

const bytes = fc
  .array(
    fc
      .record({
        first: often(fc.constant(`POST ${INFER} HTTP/1.1`), first, 5),
        framing: often(sound, odd, 3),
        also: often(fc.constant<string[]>([]), fc.array(also, { minLength: 1, maxLength: 2 }), 2),
        ends: fc.array(end, { minLength: 6, maxLength: 6 }),
      })
      .map(({ first, framing, also, ends }) => {
        const lines = [first, 'host: a', ...also, framing.header, ''];
        return lines.map((line, index) => line + ends[index]).join('') + framing.body;
      }),
    { minLength: 1, maxLength: 3 },
  )
  .map(all => [...all, 'GET /v2/models/last HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n'].join(''));

interface Heard {
  host: string | undefined;
  method: string | undefined;
  url: string | undefined;
  body: string;
}

/** An HTTP server of Node's and nothing more. */
async function startAlone(heard: Heard[]): Promise<string> {
  const server = createServer((incoming, response) => {
    let body = '';
    incoming.setEncoding('latin1').on('data', chunk => {
      body += chunk;
    });
    incoming.on('end', () => {
      const { headers, method, url } = incoming;
      heard.push({ host: headers.host, method, url, body });
      answerJson(response, 200, body);
    });
  });
  // What came whole before the bytes that are wrong has been heard, and is counted.
  server.on('clientError', (_, socket) => void setImmediate(() => socket.destroy()));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return listening(server);
}

test('whatever comes, runtimes hear of no request that Node itself would not have heard', {
  timeout: 60_000,
}, async () => {
  const direct: Heard[] = [];
  const through: Heard[] = [];
  const alone = await startAlone(direct);
  const runtime = await startScripted(({ headers, method, url }, response, body) => {
    through.push({ host: headers.host, method, url, body });
    answerJson(response, 200, body);
  });
  const gateway = await startGatewayFixture([runtime.address]);
  await ready(gateway);
  let runs = 0;
  let same = 0;

  await fc.assert(
    fc.asyncProperty(bytes, async sent => {
      // What comes late of one run is not taken for the next one's.
      const host = `run-${runs++}`;
      const ofRun = (all: readonly Heard[]): Heard[] => all.filter(each => each.host === host);
      const marked = sent.replaceAll('host: a', `host: ${host}`);

      await sendAll(alone, marked, 150);
      await sendAll(gateway.address, marked, 20);

      expect(ofRun(direct)).toEqual(expect.arrayContaining(ofRun(through)));
      expect(ofRun(through).length).toBeLessThanOrEqual(ofRun(direct).length);
      if (ofRun(through).length === ofRun(direct).length && ofRun(direct).length > 0) same++;
    }),
    { numRuns: 300 },
  );
  // Not for want of requests that are heard.
  expect(same).toBeGreaterThan(75);
});

/** Until the other side closes, or has said nothing for so long: then it waits for more. */
async function sendAll(address: string, sent: string, quietMs: number): Promise<void> {
  const client = await rawClient(address);
  client.write(sent);
  for (let length = -1; client.text().length !== length; ) {
    length = client.text().length;
    if (await Promise.race([client.ended.then(() => true), quiet(quietMs)])) break;
  }
  client.socket.destroy();
}

const quiet = (ms: number): Promise<false> => new Promise(resolve => setTimeout(resolve, ms, false));
