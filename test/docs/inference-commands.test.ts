import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { startRuntimeFixture } from '../../runtime/src/runtime.fixture.ts';
import { KEY } from '../../runtime/src/serving.fixture.ts';

const run = promisify(execFile);

/** Of the model `ratio`; what a page says of `npm start` is asked of `npm start`, in test/e2e. */
function commandsOf(page: string): string[] {
  const text = readFileSync(`docs/reference/${page}`, 'utf8');
  return [...text.matchAll(/```sh\n([\s\S]+?)```/g)]
    .map(([, block]) => block ?? '')
    .filter(block => /\$RUNTIME\S*\/ratio/.test(block));
}

test.each([
  ['inference.md', 4],
  ['inference-tf-serving.md', 2],
  ['inference-mlflow.md', 1],
] as const)('each command of %s is answered when it is pasted, as the page says', async (page, count) => {
  const folder = await mkdtemp(join(tmpdir(), 'switchback-pasted-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  // So that an answer that refuses is an error of the command, too.
  await writeFile(join(folder, '.curlrc'), 'fail\n');
  const runtime = await startRuntimeFixture();
  await runtime.serve({ label: '1.0.0' });
  const env = { PATH: process.env['PATH'], CURL_HOME: folder, RUNTIME: runtime.address, KEY };
  const commands = commandsOf(page);

  for (const command of commands) {
    const said = [...command.matchAll(/^# (\{.*\})$/gm)].map(([, answer]) => answer).join('');
    const { stdout } = await run('sh', ['-ec', command], { env, cwd: folder });

    if (said !== '') expect(stdout).toBe(said);
    else if (!command.includes(' -o ')) expect(JSON.parse(stdout)).toMatchObject({ model_name: 'ratio' });
  }

  expect(commands).toHaveLength(count);
  const written = page === 'inference.md' ? ['answer.bin', 'ratio.openapi.json'] : [];
  expect((await readdir(folder)).toSorted()).toEqual(['.curlrc', ...written]);
});
