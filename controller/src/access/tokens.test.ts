import { createHash } from 'node:crypto';
import { chmodSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ArtifactDigest, EnvironmentName } from '@switchback-ml/schemas';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SwitchbackError } from '../error.ts';
import { openTokens } from './tokens.ts';

const PROD = EnvironmentName.parse('prod');
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'switchback-tokens-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe('tokens', () => {
  test('are made once, for their owner alone, and are the same when opened again', () => {
    const first = openTokens({ directory });
    const again = openTokens({ directory });

    expect(again.runtimeToken).toBe(first.runtimeToken);
    expect(first.runtimeToken).toMatch(/^sbr_[-_A-Za-z0-9]{43}$/);
    expect(stored('operator-token')).toMatch(/^sbo_[-_A-Za-z0-9]{43}$/);
    for (const name of ['operator-token', 'runtime-token']) expect(modeOf(name)).toBe('600');
    expect(modeOf('keys')).toBe('700');
    expect(readdirSync(directory).sort()).toEqual(['keys', 'operator-token', 'runtime-token']);
  });

  test('are told apart, and anything else is none of ours', () => {
    const tokens = openTokens({ directory });
    const operator = stored('operator-token');

    expect(tokens.kindOf(operator)).toBe('operator');
    expect(tokens.kindOf(tokens.runtimeToken)).toBe('runtime');
    const flipped = operator.slice(0, -1) + (operator.endsWith('A') ? 'B' : 'A');
    for (const token of ['', operator.slice(0, -1), `${operator} `, flipped, tokens.inferenceKey(PROD)])
      expect(tokens.kindOf(token), token).toBeNull();
  });

  test('refuses a token that others can read, and says how to mend it', () => {
    openTokens({ directory });
    chmodSync(join(directory, 'operator-token'), 0o640);

    const error = errorOf(() => openTokens({ directory }));
    expect(error.code).toBe('E_CONFIG');
    expect(error.message).toContain(`chmod 600 ${join(directory, 'operator-token')}`);
    expect(error.message).not.toContain(stored('operator-token'));
  });

  test('refuses a symbolic link in the place of a token', () => {
    openTokens({ directory });
    symlinkSync(join(directory, 'runtime-token'), join(directory, 'keys', 'prod'));

    expect(errorOf(() => openTokens({ directory })).message).toContain('symbolic link');
  });

  test.each(['', 'hunter2', 'sbr_short'])('refuses %j as a runtime token without repeating it', text => {
    openTokens({ directory });
    writeFileSync(join(directory, 'runtime-token'), text);

    const error = errorOf(() => openTokens({ directory }));
    expect(error.code).toBe('E_CONFIG');
    if (text !== '') expect(error.message).not.toContain(text);
  });
});

describe('inference keys', () => {
  test('are made on first need, and only their hashes are for publishing', () => {
    const tokens = openTokens({ directory });
    expect(tokens.keyHashes.size).toBe(0);

    const key = tokens.inferenceKey(PROD);

    expect(key).toMatch(/^sbi_/);
    expect(tokens.inferenceKey(PROD)).toBe(key);
    expect(stored('keys/prod')).toBe(key);
    expect(modeOf('keys/prod')).toBe('600');
    const hashes = tokens.keyHashes.get(PROD) ?? [];
    expect(hashes.map(hash => ArtifactDigest.parse(hash))).toEqual([
      createHash('sha256').update(key).digest('hex'),
    ]);
  });

  test('differ by environment and are known again after a restart, before any is asked for', () => {
    const before = openTokens({ directory });
    const keys = [PROD, EnvironmentName.parse('dev')].map(name => before.inferenceKey(name));
    expect(new Set(keys).size).toBe(2);

    const after = openTokens({ directory });

    expect(new Map(after.keyHashes)).toEqual(new Map(before.keyHashes));
    expect([...after.keyHashes.keys()].sort()).toEqual(['dev', 'prod']);
  });

  test('of two controllers that need the same one at once are one key', () => {
    const [one, other] = [openTokens({ directory }), openTokens({ directory })];

    expect(one.inferenceKey(PROD)).toBe(other.inferenceKey(PROD));
  });
});

function stored(name: string): string {
  return readFileSync(join(directory, name), 'utf8').trim();
}

function modeOf(name: string): string {
  return (statSync(join(directory, name)).mode & 0o777).toString(8);
}

function errorOf(open: () => unknown): SwitchbackError {
  try {
    open();
  } catch (error) {
    if (error instanceof SwitchbackError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}
