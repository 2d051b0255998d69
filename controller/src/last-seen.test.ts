import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CommitSha } from '@switchback-ml/schemas';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readLastSeen, rememberLastSeen } from './last-seen.ts';
import type { Log } from './log.ts';
import type { RepositoryWatch } from './repository/view.ts';

const HEAD = 'a'.repeat(40) as CommitSha;
const WHERE = { url: 'https://example.org/models.git', branch: 'main' };
const log: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchback-last-seen-'));
  file = join(folder, 'last-seen.json');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A watch that publishes when told to. */
function watchOf(head: CommitSha | null) {
  const listeners: (() => void)[] = [];
  const watch = {
    latest: () => (head === null ? null : { head }),
    onChange: (listener: () => void) => listeners.push(listener),
  } as unknown as RepositoryWatch;
  return { watch, publish: () => listeners.forEach(listener => void listener()) };
}

test('the next life knows the head that was published last, of this very branch alone', () => {
  const { watch, publish } = watchOf(HEAD);
  rememberLastSeen(file, WHERE, watch, log);
  const before = readLastSeen(file, WHERE);
  publish();

  expect(before).toBeNull();
  expect(readLastSeen(file, WHERE)).toBe(HEAD);
  expect(readLastSeen(file, { ...WHERE, branch: 'other' })).toBeNull();
  expect(readLastSeen(file, { ...WHERE, url: 'https://example.org/other.git' })).toBeNull();
});

test('a file that is spoilt, and a branch without a commit, are the same as none', () => {
  writeFileSync(file, '{"url":');
  const { watch, publish } = watchOf(null);
  rememberLastSeen(file, WHERE, watch, log);
  publish();

  expect(readLastSeen(file, WHERE)).toBeNull();
});

test('where it can not be written, a person is told and the looking goes on', () => {
  const told: string[] = [];
  const { watch, publish } = watchOf(HEAD);
  rememberLastSeen(join(folder, 'gone', 'x.json'), WHERE, watch, {
    ...log,
    warn: (_: object, message?: string) => void told.push(message ?? ''),
  } as Log);

  publish();

  expect(told).toEqual(['what was seen last could not be kept']);
});
