import { writeFile } from 'node:fs/promises';
import { expect, onTestFinished, test } from 'vitest';
import { steppedClock } from '../../clock.fixture.ts';
import { silentLog } from '../../log.ts';
import { eventually } from '../../serving.fixture.ts';
import { listFile, listOf } from '../gateway.fixture.ts';
import { type Place, watchListing } from './watch.ts';

async function startWatch(
  text: string,
  lookup: (name: string) => Promise<readonly string[]> = async () => [],
) {
  const clock = steppedClock();
  const file = await listFile(text);
  const seen: Place[][] = [];
  let troubles = 0;
  const watch = await watchListing({
    file,
    lookup,
    clock,
    log: silentLog,
    onChange: ({ places }) => seen.push([...places]),
    onTrouble: () => troubles++,
  });
  const stopping = new AbortController();
  const following = watch.follow(stopping.signal);
  onTestFinished(async () => {
    stopping.abort();
    await following;
  });
  return { clock, file, seen, troubles: () => troubles };
}

test('tells what the file lists, and again only when that is something else', async () => {
  const { clock, file, seen } = await startWatch(listOf(['http://10.0.0.1:1']));

  await writeFile(file, `${listOf(['http://10.0.0.1:1'])}\n`);
  await clock.advance(1000);
  await writeFile(file, listOf(['http://10.0.0.2:1']));
  await eventually(async () => {
    await clock.advance(1000);
    return seen.length === 2;
  }, 'the second list');

  expect(seen.map(([place]) => place!.host)).toEqual(['10.0.0.1', '10.0.0.2']);
});

test('asks again for the addresses of a name, and keeps the last ones while there are none', async () => {
  const answers: (readonly string[] | null)[] = [['10.0.0.2', '10.0.0.1'], null, [], ['10.0.0.3']];
  const { clock, seen, troubles } = await startWatch(
    JSON.stringify({ runtimes: [{ dns: 'runtimes.svc', port: 7, environment: 'prod' }] }),
    async () => {
      const answer = answers.length > 1 ? answers.shift()! : answers[0]!;
      if (answer === null) throw new Error('no such name');
      return answer;
    },
  );

  await eventually(async () => {
    await clock.advance(1000);
    return seen.length === 2;
  }, 'the new address');

  expect(seen[0]).toEqual(['10.0.0.1', '10.0.0.2'].map(host => ({ environment: 'prod', host, port: 7 })));
  expect(seen[1]).toEqual([{ environment: 'prod', host: '10.0.0.3', port: 7 }]);
  expect(troubles()).toBe(2);
});

test('does not begin with a file that is no list', async () => {
  await expect(startWatch('{}')).rejects.toThrow('must be a list');
});
