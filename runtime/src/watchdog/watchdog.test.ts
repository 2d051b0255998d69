import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';

const PROGRAM = fileURLToPath(new URL('./blocked.fixture.ts', import.meta.url));

test('a process whose event loop stays blocked says so and is ended', async () => {
  const child = spawn(process.execPath, [PROGRAM], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines: { msg: string; blockedMs: number }[] = [];
  createInterface(child.stdout).on('line', line => lines.push(JSON.parse(line)));

  const signal = await new Promise(resolve => child.once('close', (_, by) => resolve(by)));

  expect(signal).toBe('SIGKILL');
  expect(lines.map(({ msg, blockedMs }) => [msg, blockedMs])).toEqual([
    ['event loop is blocked', 500],
    ['event loop stays blocked, the process is ended', 1000],
  ]);
});
