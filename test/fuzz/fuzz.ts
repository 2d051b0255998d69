import { createHash } from 'node:crypto';
import fc from 'fast-check';
import type { Coverage } from './coverage.ts';
import { LARGEST_INPUT, mutate } from './mutate.ts';
import { Random } from './random.ts';
import { type Target, whyTainted, whyUnexpected } from './target.ts';

export interface Finding {
  reason: string;
  input: Buffer;
}

export interface Progress {
  inputs: number;
  /** Inputs that others are made from: examples, and what ran something new. */
  corpus: number;
  /** Characters of our sources that ran. */
  covered: number;
  slowestMs: number;
}

export interface FuzzOptions {
  target: Target;
  coverage: Coverage;
  seed: number;
  /** Called before each input; what it sees last when nothing more comes is what hung. */
  onInput: (input: Buffer) => void;
  /** Whether to go on. */
  goesOn: () => boolean;
  /** Inputs of earlier runs, tried first. */
  kept: readonly Buffer[];
}

/** Of this thread's own time, whatever else the machine does: a parser that takes longer holds up everything. */
export const LONGEST_MS = 1000;
const MOST_FINDINGS = 20;
const AT_ONCE = 64;

/**
 * Reads inputs until told to stop: examples and kept ones first, then mutations of whatever has run something new,
 * and, every eighth time, bytes or a document made from nothing.
 */
export async function fuzz(options: FuzzOptions): Promise<{ findings: Finding[]; progress: Progress }> {
  const { target, coverage, goesOn } = options;
  const random = new Random(options.seed);
  const corpus: Buffer[] = [];
  const findings = new Map<string, Finding>();
  const progress: Progress = { inputs: 0, corpus: 0, covered: 0, slowestMs: 0 };
  const fresh = freshInputs(target, options.seed);

  /** Whether it is worth keeping as a beginning for others. */
  async function attempt(input: Buffer): Promise<boolean> {
    options.onInput(input);
    const startedAt = process.threadCpuUsage();
    const reason = await whyBad(target, input);
    const { user, system } = process.threadCpuUsage(startedAt);
    const tookMs = (user + system) / 1000;
    progress.inputs += 1;
    progress.slowestMs = Math.max(progress.slowestMs, tookMs);
    const finding = reason ?? (tookMs > LONGEST_MS ? `took ${Math.round(tookMs)} ms` : null);
    if (finding !== null) findings.set(kindOf(finding), { reason: finding, input });
    return finding === null;
  }

  /** What ran something new is found by running the inputs again, one by one; which is seldom. */
  async function attemptAll(inputs: readonly Buffer[]): Promise<void> {
    const harmless: Buffer[] = [];
    for (const input of inputs) if (await attempt(input)) harmless.push(input);
    if (!coverage.look('leave')) return;
    for (const input of harmless) {
      await whyBad(target, input);
      if (coverage.look('count')) corpus.push(input);
    }
  }

  await attemptAll([...options.kept, ...target.examples.map(example => Buffer.from(example))]);
  corpus.push(...target.examples.map(example => Buffer.from(example)));
  while (goesOn() && findings.size < MOST_FINDINGS) {
    const isFresh = (): boolean => random.below(8) === 0;
    // What was found last leads furthest.
    const promising = (): Buffer =>
      corpus[Math.max(random.below(corpus.length), random.below(corpus.length))] ?? fresh();
    const next = (): Buffer => (isFresh() ? fresh() : mutate(promising(), random, corpus, target.words));
    await attemptAll(Array.from({ length: AT_ONCE }, next));
    // Lets the thread hear that it is to stop.
    await new Promise(resolve => setImmediate(resolve));
  }
  progress.corpus = corpus.length;
  progress.covered = coverage.size;
  return { findings: [...findings.values()], progress };
}

/** Null: it was read, or refused as it should be. */
export async function whyBad(target: Target, input: Buffer): Promise<string | null> {
  try {
    await target.read(input);
  } catch (error) {
    const unexpected = whyUnexpected(error, target.caught);
    if (unexpected !== null) return unexpected;
  }
  return whyTainted();
}

/** The name under which an input is kept. */
export function nameOf(input: Buffer): string {
  return createHash('sha256').update(input).digest('hex').slice(0, 16);
}

/** The same mistake met again is one finding: its first line and where in our code it came from. */
function kindOf(reason: string): string {
  const [first = '', ...rest] = reason.split('\n');
  const place = rest.find(line => /(controller|runtime|schemas)\/src/.test(line)) ?? '';
  return `${first.replace(/\d+/g, '#').slice(0, 80)} ${place.trim()}`;
}

function freshInputs({ documents }: Target, seed: number): () => Buffer {
  const anything = fc.oneof(
    fc.uint8Array({ maxLength: 4096 }),
    fc.string({ unit: 'binary', maxLength: 2000 }),
    fc.json({ maxDepth: 6 }),
    ...(documents ? [documents, documents] : []),
  );
  let batch: (string | Uint8Array)[] = [];
  let batches = 0;
  return () => {
    if (batch.length === 0) batch = fc.sample(anything, { seed: seed + batches++, numRuns: 1000 });
    return Buffer.from(batch.pop() ?? '').subarray(0, LARGEST_INPUT);
  };
}
