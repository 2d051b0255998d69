import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, realpath, stat, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import {
  ArtifactDigest,
  type GoldenAnswers,
  type ModelName,
  type VersionDigest,
  type VersionLabel,
} from '@switchback-ml/schemas';
import { versionDigest } from '../../desired/identity.ts';
import { SwitchbackError } from '../../error.ts';
import type { LfsObject } from '../../repository/repository.ts';
import type { Progress } from '../progress.ts';
import { type FactSources, readFacts } from './facts.ts';
import { makeGolden } from './golden.ts';
import { readSamples } from './samples.ts';
import { askGraph, readSignature } from './trial.ts';
import { versionText } from './version-text.ts';

const LARGEST_SAMPLES_BYTES = 64 * 2 ** 20;
/** What the runtime reads of them. */
const LARGEST_GOLDEN_BYTES = 64 * 2 ** 20;
const DEFAULT_TOLERANCE = 1e-5;

export interface RegisterRequest {
  /** The ONNX file. */
  file: string;
  model: ModelName;
  /** Folder below `models/` of a model that is new: `payments/fraud`. */
  folder: string;
  version: VersionLabel;
  /** CSV file. */
  samples: string;
  /** Of the golden answers. */
  tolerance?: number | undefined;
  /** Whose rows the samples are. */
  rows?: 'synthetic' | 'consented' | 'public' | undefined;
  facts: FactSources;
  /** The LFS endpoint, where it is not the repository's own. */
  lfs?: string | undefined;
  reason?: string | undefined;
}

/** A version as it will stand in git: its manifest, and the files that go to LFS. */
export interface Prepared {
  request: RegisterRequest;
  manifest: (path: string) => string;
  digest: VersionDigest;
  answers: GoldenAnswers['answers'];
  rows: number;
  objects: Record<'model.onnx' | 'golden.json', LfsObject & { file: string }>;
}

/** Tries the graph on the samples and makes the golden answers; `scratch` is a folder of the caller's. */
export async function prepareVersion(
  request: RegisterRequest,
  scratch: string,
  signal: AbortSignal,
  progress: Progress,
): Promise<Prepared> {
  const file = await followLink(resolve(request.file));
  const tolerance = request.tolerance ?? DEFAULT_TOLERANCE;
  const facts = await readFacts(request.facts);
  const csv = (await readBounded(request.samples)).toString('utf8');
  progress('reading the signature from the graph');
  const signature = await readSignature(file, signal);
  const samples = readSamples(csv, signature, basename(request.samples));
  progress(`asking the graph ${samples.rows} rows`);
  const asked = { signature, rows: samples.inputs, tolerance };
  const golden = makeGolden(samples, await askGraph(file, asked, signal), tolerance);
  const goldenFile = join(scratch, 'golden.json');
  await writeFile(goldenFile, JSON.stringify(golden));
  const answers = await identify(goldenFile, 'golden answers');
  if (answers.sizeBytes > LARGEST_GOLDEN_BYTES)
    throw new SwitchbackError('E_INPUT', 'The golden answers are larger than 64 MiB; give fewer rows.');
  // Only now, since a trial refuses what is too large to be a model without reading it.
  const model = await identify(file, 'model');

  const artifacts = {
    'model.onnx': { sha256: model.digest, size: model.sizeBytes },
    'golden.json': {
      sha256: answers.digest,
      size: answers.sizeBytes,
      tolerance,
      ...(request.rows ? { rows: request.rows } : {}),
    },
  };
  return {
    request,
    manifest: path => versionText(path, { artifacts, signature, facts }).text,
    digest: versionDigest(artifacts, signature),
    answers: golden.answers,
    rows: samples.rows,
    objects: { 'model.onnx': { ...model, file }, 'golden.json': { ...answers, file: goldenFile } },
  };
}

/** A link that the person named is the person's; what is tried and uploaded is one file. */
async function followLink(file: string): Promise<string> {
  return await realpath(file).catch(() => file);
}

async function identify(file: string, what: string): Promise<LfsObject> {
  try {
    const hash = createHash('sha256');
    let sizeBytes = 0;
    for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
      hash.update(chunk);
      sizeBytes += chunk.length;
    }
    return { digest: ArtifactDigest.parse(hash.digest('hex')), sizeBytes };
  } catch (cause) {
    throw new SwitchbackError('E_INPUT', `The ${what} ${file} can not be read.`, { cause });
  }
}

async function readBounded(file: string): Promise<Buffer> {
  const found = await stat(file).catch(() => null);
  if (found === null) throw new SwitchbackError('E_INPUT', `The samples ${file} can not be read.`);
  if (found.size <= LARGEST_SAMPLES_BYTES) return readFile(file);
  throw new SwitchbackError('E_INPUT', `The samples ${file} are larger than 64 MiB; give fewer rows.`);
}
