import { steadyLoad } from '../load/steady.ts';
import type { Sample } from '../model/sample.ts';
import type { SubjectResult, Table } from '../results.ts';
import type { Ground, Subject, SubjectKind } from '../subject/subject.ts';
import { usageOf } from '../usage/processes.ts';
import type { Encoding } from '../v2.ts';
import { cellOf, measureRound, type Round } from './cell.ts';
import { troubleOf } from './check.ts';

/** So that one connection is not all that was ever warm. */
const WARM_CONNECTIONS = 32;
/** V8 goes on compiling for some seconds, in threads that take their part of two cores. */
const WARM_MS = 3000;
const TRIAL_MS = 2000;

export interface TableOptions {
  connections: readonly number[];
  rounds: number;
  /** Of those that stand alone. */
  peerRounds: number;
  forMs: number;
  ground: Ground;
}

interface Missing {
  name: string;
  why: string;
}

/**
 * One model in one encoding: ours and the bare servers stand side by side and are asked in turn, round by round; each
 * peer stands alone, since even an idle one has its threads.
 */
export async function measureTable(
  sample: Sample,
  encoding: Encoding,
  kinds: { together: readonly SubjectKind[]; alone: readonly (readonly SubjectKind[])[] },
  options: TableOptions,
): Promise<Table> {
  const { model } = sample;
  const missing: Missing[] = [];
  const speaks = ({ name, speaks: encodings }: SubjectKind): boolean => {
    if (encodings.includes(encoding)) return true;
    missing.push({ name, why: 'it takes no binary tensors' });
    return false;
  };
  const together = kinds.together.filter(speaks);
  const subjects = await measureTogether(sample, encoding, together, options, missing);
  for (const settings of kinds.alone) {
    if (settings[0] === undefined || !speaks(settings[0])) continue;
    try {
      const best = await bestSetting(sample, encoding, settings, options);
      const fewer = { ...options, rounds: options.peerRounds };
      subjects.push(...(await measureTogether(sample, encoding, [best], fewer, missing)));
    } catch (error) {
      options.ground.signal.throwIfAborted();
      missing.push({ name: settings[0].name, why: reasonOf(error) });
    }
  }
  return { model: model.name, what: model.what, encoding, subjects, missing };
}

async function measureTogether(
  sample: Sample,
  encoding: Encoding,
  kinds: readonly SubjectKind[],
  options: TableOptions,
  missing: Missing[],
): Promise<SubjectResult[]> {
  await using running = new AsyncDisposableStack();
  const subjects: Subject[] = [];
  for (const kind of kinds) {
    const subject = running.use(await kind.start(sample, options.ground));
    const trouble = await troubleOf(subject, sample, encoding);
    if (trouble === null) subjects.push(subject);
    else missing.push({ name: kind.name, why: trouble });
  }
  const rounds = await runRounds(subjects, encoding, options, sample.model.name);
  const results: SubjectResult[] = [];
  for (const subject of subjects) results.push(await resultOf(subject, encoding, rounds, options));
  return results;
}

type Rounds = ReadonlyMap<Subject, ReadonlyMap<number, readonly Round[]>>;

async function runRounds(
  subjects: readonly Subject[],
  encoding: Encoding,
  { connections, rounds, forMs, ground }: TableOptions,
  model: string,
): Promise<Rounds> {
  const all = new Map(
    subjects.map(subject => [subject, new Map(connections.map(count => [count, [] as Round[]]))]),
  );
  const ask = (subject: Subject, count: number, durationMs: number): Promise<Round> =>
    measureRound(subject, subject.dialect(encoding), { ...ground, connections: count, forMs: durationMs });
  for (const subject of subjects) await ask(subject, WARM_CONNECTIONS, WARM_MS);
  for (const count of connections) {
    for (let round = 1; round <= rounds; round++) {
      for (const subject of subjects) {
        const measured = await ask(subject, count, forMs);
        all.get(subject)!.get(count)!.push(measured);
        const rate = Math.round(measured.perSecond).toLocaleString('en');
        ground.tell(
          `${model} ${encoding}, ${count} connections, round ${round} of ${rounds}: ${subject.kind.name} ${rate}/s`,
        );
      }
    }
  }
  return all;
}

async function resultOf(
  subject: Subject,
  encoding: Encoding,
  rounds: Rounds,
  { forMs, ground }: TableOptions,
): Promise<SubjectResult> {
  const cells = [...rounds.get(subject)!].map(([connections, all]) => cellOf(connections, all));
  const { name, role, what } = subject.kind;
  const { front, engine } = subject.processes();
  const residentMiB = usageOf([...front, ...engine]).residentBytes / 2 ** 20;
  const perSecond = Math.max(...cells.map(cell => cell.perSecond)) / 2;
  ground.tell(`${name}: latency at ${Math.round(perSecond).toLocaleString('en')}/s, half of its most`);
  const half = await steadyLoad(subject.dialect(encoding), { ...ground, perSecond, forMs: 2 * forMs });
  return { name, role, what, cells, half, residentMiB };
}

/** The setting with the most answers a second in a short trial. Rejects where none can be had. */
async function bestSetting(
  sample: Sample,
  encoding: Encoding,
  settings: readonly SubjectKind[],
  { ground }: TableOptions,
): Promise<SubjectKind> {
  let best: { kind: SubjectKind; perSecond: number } | null = null;
  let trouble = 'it has no settings';
  for (const kind of settings) {
    ground.tell(`${sample.model.name} ${encoding}: trying ${kind.what}`);
    try {
      await using subject = await kind.start(sample, ground);
      const found = await troubleOf(subject, sample, encoding);
      if (found !== null) throw new Error(found);
      const trial = { ...ground, connections: WARM_CONNECTIONS, forMs: TRIAL_MS };
      await measureRound(subject, subject.dialect(encoding), { ...trial, forMs: WARM_MS });
      const { perSecond } = await measureRound(subject, subject.dialect(encoding), trial);
      if (best === null || perSecond > best.perSecond) best = { kind, perSecond };
    } catch (error) {
      ground.signal.throwIfAborted();
      trouble = reasonOf(error);
    }
  }
  if (best === null) throw new Error(trouble);
  return best.kind;
}

function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/\s+/g, ' ').slice(0, 300);
}
