import { createHash } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { validate } from './validate.ts';

const EXAMPLE = fileURLToPath(new URL('../../../examples/model-repo', import.meta.url));
const VERSION = 'models/screening/versions/1.0.0';
const GOLDEN = `${VERSION}/golden.json`;
const signal = new AbortController().signal;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'switchback-validate-'));
  for (const part of ['models/screening', 'environments/dev/environment.yaml'])
    await cp(join(EXAMPLE, part), join(folder, part), { recursive: true });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Errors, graphs tried as a runtime would unless `attempt` says otherwise. */
async function errors(attempt?: () => Promise<void>) {
  const { problems } = await validate({ folder, signal, ...(attempt && { attempt }) });
  return problems.filter(({ severity }) => severity === 'error');
}

interface Golden {
  inputs: Record<string, { datatype: string; shape: number[]; data: unknown[] }>;
  outputs: Record<string, { datatype: string; shape: number[]; data: unknown[] }>;
}

/** Another golden.json, which version.yaml names by its digest and size as it should. */
async function rewriteGolden(change: (golden: Golden) => unknown): Promise<void> {
  const before = await readFile(join(folder, GOLDEN));
  const golden = JSON.parse(before.toString('utf8')) as Golden;
  const text = JSON.stringify(change(golden) ?? golden);
  await writeFile(join(folder, GOLDEN), text);
  await editVersion(manifest =>
    manifest
      .replace(
        createHash('sha256').update(before).digest('hex'),
        createHash('sha256').update(text).digest('hex'),
      )
      .replace(`size: ${before.length}`, `size: ${Buffer.byteLength(text)}`),
  );
}

async function editVersion(edit: (manifest: string) => string): Promise<void> {
  const path = join(folder, VERSION, 'version.yaml');
  await writeFile(path, edit(await readFile(path, 'utf8')));
}

describe('a new version whose files lie there', () => {
  it('is tried as a runtime would, and found well', async () => {
    expect(await validate({ folder, signal })).toMatchObject({ tried: 1, notes: [] });
    expect(await errors()).toEqual([]);
  });

  it('with a wrong golden answer is told the row, before it is committed', async () => {
    await rewriteGolden(({ outputs }) => {
      outputs['score']!.data[2] = 0.123;
    });

    expect(await errors()).toEqual([
      {
        code: 'E_MODEL_GOLDEN',
        severity: 'error',
        path: GOLDEN,
        message: expect.stringMatching(
          /golden\.json the model does not give its golden answers: row 2: score is .* and should be 0\.12/,
        ),
        remedy: expect.stringContaining('compute its answers anew'),
      },
    ]);
  });

  it('with another signature than the graph is told the tensor', async () => {
    await editVersion(manifest => manifest.replace(/\bfeatures\b/, 'rows'));
    await rewriteGolden(golden => ({ ...golden, inputs: { rows: golden.inputs['features'] } }));

    expect(await errors()).toMatchObject([
      {
        code: 'E_MODEL_SIGNATURE',
        path: `${VERSION}/version.yaml`,
        message: expect.stringMatching(/the graph has no input "rows"$/),
        remedy: expect.stringContaining('what the graph has'),
      },
    ]);
  });

  it('with other bytes than it names is told the values to write', async () => {
    const bytes = Buffer.concat([await readFile(join(folder, GOLDEN)), Buffer.from('\n')]);
    await writeFile(join(folder, GOLDEN), bytes);

    expect(await errors()).toMatchObject([
      {
        code: 'E_ARTIFACT_DIFFERS',
        message: expect.stringContaining(
          `is ${bytes.length} bytes with sha256 ${createHash('sha256').update(bytes).digest('hex')}; version.yaml names`,
        ),
        remedy: expect.stringContaining('write its values into version.yaml'),
      },
    ]);
  });
});

describe('golden answers', () => {
  const refuse = () => Promise.reject(new Error('no graph was to be tried'));

  it.each<[string, (golden: Golden) => unknown, string, RegExp]>([
    [
      'rows as people write them',
      ({ inputs }) => ({ inputs: { features: [[1, 2]] }, outputs: inputs }),
      'inputs.features',
      /expected object, received array/,
    ],
    ['a misspelt field', golden => ({ ...golden, answer: 'graph' }), '', /[Uu]nrecognized key/],
    [
      'an input that is missing',
      ({ outputs }) => ({ inputs: {}, outputs }),
      'inputs',
      /has no "features", which version\.yaml declares/,
    ],
    [
      'an output that nobody declared',
      ({ inputs, outputs }) => ({ inputs, outputs: { scores: outputs['score'] } }),
      'outputs.scores',
      /is not in the signature/,
    ],
    ['no answer', ({ inputs }) => ({ inputs, outputs: {} }), 'outputs', /holds no answer/],
    [
      'another type',
      ({ inputs }) => void Object.assign(inputs['features']!, { datatype: 'FP64' }),
      'inputs.features.datatype',
      /is FP64 and not FP32/,
    ],
    [
      'another width',
      ({ outputs }) => void outputs['score']!.shape.splice(1, 1, 2),
      'outputs.score.shape',
      /is not FP32 \[-1, 1\]/,
    ],
    [
      'a flat shape',
      ({ outputs }) => void outputs['score']!.shape.pop(),
      'outputs.score.shape',
      /is not FP32 \[-1, 1\]/,
    ],
    [
      'a value too few',
      ({ outputs }) => void outputs['score']!.data.pop(),
      'outputs.score.data',
      /has \d+ values, and shape \[\d+, 1\] asks for \d+/,
    ],
    [
      'a text among numbers',
      ({ outputs }) => void outputs['score']!.data.splice(1, 1, 'high'),
      'outputs.score.data.1',
      /is "high", which is no FP32/,
    ],
  ])('with %s are told the field', async (_, change, field, said) => {
    await rewriteGolden(change);

    const [problem] = await errors(refuse);

    expect(problem).toMatchObject({
      code: 'E_MODEL_GOLDEN',
      path: GOLDEN,
      message: expect.stringMatching(said),
    });
    expect(problem?.field ?? '').toBe(field);
  });

  it('that are no JSON are told to be none', async () => {
    await writeFile(join(folder, GOLDEN), '{"inputs":');

    expect(await errors(refuse)).toContainEqual(
      expect.objectContaining({ code: 'E_MODEL_GOLDEN', message: `${GOLDEN} is no JSON` }),
    );
  });
});
