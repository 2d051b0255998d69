import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lastWords } from './last-words.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'switchback-words-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function wordsOf(text: string, from = 0): Promise<string | null> {
  const file = join(folder, 'controller.log');
  await writeFile(file, text);
  return lastWords(file, from);
}

describe('last words', () => {
  it('are the last error, with its reason, whatever was said after', async () => {
    const log = [
      { level: 'error', msg: 'first' },
      { level: 'error', msg: 'the port is taken', reason: 'EADDRINUSE' },
      { level: 'info', msg: 'closing' },
    ];

    expect(await wordsOf(log.map(line => JSON.stringify(line)).join('\n'))).toBe(
      'the port is taken: EADDRINUSE',
    );
  });

  it('are the line of a crash that names the error, not its stack', async () => {
    const crash =
      'file.ts:3\n  throw x;\n  ^\n\nTypeError: x is not a function\n    at run (file.ts:3:5)\n\nNode.js v24.0.0\n';

    expect(await wordsOf(crash)).toBe('TypeError: x is not a function');
  });

  it('are only of the present life, and none when it said nothing', async () => {
    const before = '{"level":"error","msg":"of an earlier life"}\n';

    expect(await wordsOf(before, before.length)).toBeNull();
    expect(await wordsOf(`${before}only this\n`, before.length)).toBe('only this');
  });
});
