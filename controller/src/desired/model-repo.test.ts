import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { desired } from './desired.ts';
import type { RepositoryFile } from './desired-state.ts';
import { blobId, treeOf } from './tree.fixture.ts';

const EXAMPLE = fileURLToPath(new URL('../../../examples/model-repo/', import.meta.url));

function exampleFiles(): Map<string, RepositoryFile> {
  const files = new Map<string, RepositoryFile>();
  for (const entry of readdirSync(EXAMPLE, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const bytes = readFileSync(join(entry.parentPath, entry.name));
    const path = relative(EXAMPLE, join(entry.parentPath, entry.name)).split(sep).join('/');
    files.set(path, fileOf(path, bytes));
  }
  return files;
}

function fileOf(path: string, bytes: Buffer): RepositoryFile {
  const base = { blob: blobId(bytes.toString('latin1')), mode: '100644' };
  if (path.endsWith('.yaml')) return { ...base, kind: 'manifest', text: bytes.toString('utf8') };
  const digest = createHash('sha256').update(bytes).digest('hex');
  return { ...base, kind: 'raw', sizeBytes: bytes.length, digest };
}

test('the example repository is read without an error, every artifact as its version names it', () => {
  const files = exampleFiles();

  const { models, problems } = desired({ ...treeOf([]), files });

  const raw = [...files.keys()].filter(path => path.includes('/versions/') && !path.endsWith('.yaml'));
  expect(raw.length).toBeGreaterThan(0);
  expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
  // Its bytes are plain until a copy of it is seeded into a repository with LFS.
  expect(problems.map(({ code }) => code)).toEqual(raw.map(() => 'W_RAW_ARTIFACT'));
  expect([...models.values()].every(({ versions }) => versions.length > 0)).toBe(true);
});
