import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import type { Headline } from './headline.ts';
import { wrkTrouble } from './load/closed.ts';

const run = promisify(execFile);
const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));

test.skipIf(wrkTrouble() !== null)(
  'a small run measures a real runtime beside a bare server, tells its progress and ends with one line of JSON',
  async () => {
    const out = await mkdtemp(join(tmpdir(), 'switchback-bench-test-'));
    onTestFinished(() => rm(out, { recursive: true, force: true }));

    const only = 'iris,switchback,fastify';
    const args = ['--quick', '--json', '--only', only, '--for', '1s', '--rounds', '1', '--out', out];
    const { stdout, stderr } = await run(process.execPath, [MAIN, ...args], { timeout: 60_000 });

    const headline = JSON.parse(stdout) as Headline;
    expect(stdout.trim().split('\n')).toHaveLength(1);
    expect(Object.keys(headline.echoRatios)).toEqual(['1', '32', '128']);
    expect(headline.echoRatio).toBeGreaterThan(0);
    expect(headline.echoP95Ms).toBeGreaterThan(0);
    expect(headline.swapFailed).toBeNull();
    expect(headline.pushMs).toBeNull();
    expect(stderr).toMatch(
      /iris json, 32 connections, round 1 of 1: fastify [\d,]+\/s {2}\(about \d+:\d\d to go\)/,
    );
    const page = await readFile(join(out, 'benchmarks.md'), 'utf8');
    expect(page).toMatch(/\| switchback \| 1 \| 1 \| 1 \| [\d,]+ \|/);
    expect(page).toMatch(/\| switchback, engine \| \d+ \|/);
    expect(page).toMatch(
      /\| one row in JSON ÷ bare Fastify \| ≥ 0\.8 × \| \d+\.\d\d \| (met|missed by \S+) \|/,
    );
    expect(page).not.toContain('Not in the table');
  },
);

test('a word that it does not know ends it with the usage', async () => {
  const ended = run(process.execPath, [MAIN, '--only', 'nginx'], { timeout: 30_000 });

  await expect(ended).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining('there is no "nginx"'),
  });
});
