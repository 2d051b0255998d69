import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CANDIDATES } from '../model-repository.fixture.ts';
import { readFacts } from './facts.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'switchback-facts-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function file(text: string): Promise<string> {
  const path = join(folder, `${Math.random()}.json`);
  await writeFile(path, text);
  return path;
}

describe('facts', () => {
  it('reads all that is known from one file', async () => {
    const facts = await readFacts({ facts: join(CANDIDATES, 'good', 'facts.json') });

    expect(facts.framework).toEqual({ name: 'scikit-learn', version: '1.9.1' });
    expect(facts.evaluation?.map(({ metric, better }) => [metric, better])).toEqual([
      ['auc', 'higher'],
      ['log_loss', 'lower'],
    ]);
  });

  it('takes single options before the file', async () => {
    const facts = await readFacts({
      facts: await file('{"framework":{"name":"xgboost"},"parameters":{"depth":1}}'),
      metrics: 'auc=0.9,log_loss=0.1:lower',
      params: 'depth=3,rate=0.1,booster=gbtree,fast=true',
      framework: 'scikit-learn@1.9',
    });

    expect(facts).toEqual({
      framework: { name: 'scikit-learn', version: '1.9' },
      parameters: { depth: 3, rate: 0.1, booster: 'gbtree', fast: true },
      evaluation: [
        { metric: 'auc', value: 0.9, better: 'higher' },
        { metric: 'log_loss', value: 0.1, better: 'lower' },
      ],
    });
  });

  it('reads metrics from a map, a list, and a file that holds more', async () => {
    const values = async (text: string) =>
      (await readFacts({ metrics: await file(text) })).evaluation?.[0]?.value;

    expect(await values('{"auc":0.9}')).toBe(0.9);
    expect(await values('[{"metric":"auc","value":0.8}]')).toBe(0.8);
    expect(await values('{"evaluation":[{"metric":"auc","value":0.7}],"framework":{"name":"x"}}')).toBe(0.7);
  });

  it.each([
    [{ metrics: 'auc=high' }, /write auc=0.99/],
    [{ metrics: 'auc=' }, /form name=value/],
    [{ metrics: '/nowhere/metrics.json' }, /can not be read/],
  ])('refuses %j in words', async (sources, words) => {
    await expect(readFacts(sources)).rejects.toThrow(words);
  });

  it('refuses a field that no version has', async () => {
    await expect(readFacts({ facts: await file('{"framwork":{}}') })).rejects.toThrow(/framwork/);
  });
});
