import { beforeEach, describe, expect, test } from 'vitest';
import { type RuntimeFixture, startRuntimeFixture } from '../runtime.fixture.ts';
import { KEY, ratioBody } from '../serving.fixture.ts';
import { type GatewayFixture, INFER, standing, startGatewayFixture } from './gateway.fixture.ts';

const ONE = ratioBody([6], [3]);
const SECOND = '/v2/models/ratio/versions/2/infer';

/** Two runtimes, of which one has not heard of version 2 yet. */
let older: RuntimeFixture;
let newer: RuntimeFixture;
let gateway: GatewayFixture;
beforeEach(async () => {
  [older, newer] = (await Promise.all([startRuntimeFixture(), startRuntimeFixture()])) as [
    RuntimeFixture,
    RuntimeFixture,
  ];
  await Promise.all([older.serve({ label: '1' }), newer.serve({ label: '1' }, { label: '2', weight: 0 })]);
  gateway = await startGatewayFixture([older.address, newer.address]);
  await standing(gateway, 'ready', 2);
});

/** Plainly, or in chunks, which takes the other way through. */
async function ask(path: string, times: number, isPlain = true): Promise<Response[]> {
  const answers: Response[] = [];
  for (let index = 0; index < times; index++)
    answers.push(
      await fetch(gateway.address + path, {
        method: 'POST',
        headers: { authorization: `Bearer ${KEY}` },
        body: isPlain ? ONE : new Blob([ONE]).stream(),
        ...(!isPlain && { duplex: 'half' }),
      }),
    );
  return answers;
}

const secondsSince = (from: number): number => Math.ceil((performance.now() - from) / 1000);
/** Ten in any ten seconds, and those few before it is known that nobody serves it. */
const mostLooks = (seconds: number): number => 10 * Math.ceil(seconds / 10) + 10;
const statusesOf = (answers: readonly Response[]): number[] => answers.map(({ status }) => status);
const retries = (): Promise<number> => gateway.metric(/retries_total\{.*result="sent"\} (\d+)/);
const handled = async (runtime: RuntimeFixture): Promise<number> => {
  const text = await (await runtime.get('/metrics')).text();
  return [...text.matchAll(/^switchback_requests_total\{.*\} (\d+)$/gm)].reduce(
    (sum, [, count]) => sum + Number(count),
    0,
  );
};

describe.each([
  ['plainly', true],
  ['in chunks', false],
])('what one runtime serves and another has not heard of, asked for %s,', (_, isPlain) => {
  test('is answered every time, though either may be asked first', async () => {
    const answers = await ask(SECOND, 40, isPlain);

    expect(new Set(statusesOf(answers))).toEqual(new Set([200]));
    expect(new Set(answers.map(({ headers }) => headers.get('x-switchback-version')))).toEqual(
      new Set(['2']),
    );
  });

  test('is asked of the other about once a second, while that one goes on with what it knows', async () => {
    const from = performance.now();
    await ask(SECOND, 60, isPlain);
    const seconds = secondsSince(from);
    const asked = await handled(older);
    // At once, or the one that is quicker to answer would get them all.
    await Promise.all(Array.from({ length: 60 }, () => ask(INFER, 1, isPlain)));

    expect(asked).toBeGreaterThan(0);
    expect(asked).toBeLessThanOrEqual(seconds + 2);
    expect(await retries()).toBe(asked);
    expect(await handled(older)).toBeGreaterThan(asked + 5);
  });

  test('is 404 as it was told where no runtime knows it, and is not looked for without end', async () => {
    const from = performance.now();
    const answers = await ask('/v2/models/ratio/versions/9/infer', 60, isPlain);
    const most = mostLooks(secondsSince(from));

    expect(new Set(statusesOf(answers))).toEqual(new Set([404]));
    expect(await answers[0]!.json()).toMatchObject({ code: 'E_MODEL_UNKNOWN' });
    expect(await retries()).toBeGreaterThan(0);
    expect(await retries()).toBeLessThanOrEqual(most);
  });

  test('is looked for at the bound of what is unknown once nobody serves it any more', async () => {
    expect(statusesOf(await ask(SECOND, 1, isPlain))).toEqual([200]);
    await newer.serve({ label: '1' });

    const from = performance.now();
    const answers = await ask(SECOND, 60, isPlain);
    const most = mostLooks(secondsSince(from));

    expect(new Set(statusesOf(answers))).toEqual(new Set([404]));
    expect(await retries()).toBeLessThanOrEqual(most);
  });
});

test('what is known of a model is told by the one that knows it', async () => {
  const paths = Array.from({ length: 8 }, () => '/v2/models/ratio/versions/2/ready');

  const answers = await Promise.all(
    paths.map(path => fetch(gateway.address + path, { headers: { authorization: `Bearer ${KEY}` } })),
  );

  expect(new Set(statusesOf(answers))).toEqual(new Set([200]));
});

test('a page that is nowhere is asked for once', async () => {
  const answer = await fetch(`${gateway.address}/v2/nothing`, {
    headers: { authorization: `Bearer ${KEY}` },
  });

  expect(answer.status).toBe(404);
  expect(await answer.json()).toMatchObject({ code: 'E_NOT_FOUND' });
  expect(await retries()).toBe(0);
});
