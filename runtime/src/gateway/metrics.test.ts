import { readFile } from 'node:fs/promises';
import { METRICS } from '@switchback-ml/schemas';
import { expect, test } from 'vitest';
import { answerJson, standing, startGatewayFixture, startScripted } from './gateway.fixture.ts';

const REFERENCE = new URL('../../../docs/reference/metrics.md', import.meta.url);

test('the page of a gateway has every metric that it has a name for, as the reference says, and no other', async () => {
  const runtime = await startScripted((_, response) => answerJson(response, 200, 'here'));
  const gateway = await startGatewayFixture([runtime.address]);
  await standing(gateway, 'ready', 1);
  const reference = await readFile(REFERENCE, 'utf8');

  const page = await (await fetch(`${gateway.address}/metrics`)).text();

  const told = Array.from(page.matchAll(/^# TYPE (switchback_\w+) (\w+)$/gm), ([, name, type]) => {
    const [, sample = ''] = new RegExp(`^${name}(?:_count)?\\{(.*)\\} `, 'm').exec(page) ?? [];
    const labels = Array.from(sample.matchAll(/(\w+)="/g), ([, label]) => label);
    return { name, type, labels: labels.join(', ') };
  });
  const documented = Array.from(
    reference.matchAll(/^\| `(switchback_gateway_\w+)` \| (\w+) \| ([\w, ]*?) ?\| /gm),
    ([, name, type, labels]) => ({ name, type, labels }),
  );
  const named = Object.values(METRICS).filter(name => name.startsWith('switchback_gateway_'));
  expect(told.map(({ name }) => name).sort()).toEqual(named.toSorted());
  expect(documented).toEqual(expect.arrayContaining(told));
  expect(documented).toHaveLength(told.length);
});
