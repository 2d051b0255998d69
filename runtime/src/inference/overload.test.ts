import { expect, onTestFinished, test } from 'vitest';
import { type RuntimeFixture, startRuntimeFixture } from '../runtime.fixture.ts';
import { eventually, ratioBody } from '../serving.fixture.ts';
import { gatedEngines } from './gated.fixture.ts';

const ONE = ratioBody([6], [3]);

/** Status, `Retry-After` and code of the error. */
async function told(response: Response): Promise<[number, string | null, string | undefined]> {
  const { code } = (await response.json()) as { code?: string };
  return [response.status, response.headers.get('retry-after'), code];
}

/** Asks so often at once; each is answered some time. */
const ask = (runtime: RuntimeFixture, times: number, body = ONE) =>
  Array.from({ length: times }, async () => told(await runtime.infer(body)));

test('H19 more than can be done is turned away at once with a time to come again, and most of it unread', async () => {
  const engines = gatedEngines();
  onTestFinished(() => engines.open());
  const runtime = await startRuntimeFixture({ startEngine: engines.startEngine });
  await runtime.serve({ limits: { maxBatch: 4, queueRows: 20 } });
  engines.shut();

  const flood = ask(runtime, 100);
  const turnedAway = new Promise<unknown[]>(resolve => {
    const found: unknown[] = [];
    for (const one of flood)
      void one.then(answer => {
        if (answer[0] === 429) found.push(answer);
        if (found.length === 80) resolve(found);
      });
  });
  expect(new Set((await turnedAway).map(String))).toEqual(new Set(['429,1,E_OVERLOADED']));

  const unreadable = await Promise.all(ask(runtime, 128, '{'));
  expect(unreadable.filter(([status]) => status === 429)).toHaveLength(126);
  expect(unreadable.filter(([status]) => status === 400)).toHaveLength(2);

  engines.open();
  const statuses = (await Promise.all(flood)).map(([status]) => status);
  expect(statuses.filter(status => status === 200).length).toBeGreaterThan(0);
  expect(new Set(statuses)).toEqual(new Set([200, 429]));
  await eventually(async () => (await runtime.infer(ONE)).ok, 'an answer after the flood');
});
