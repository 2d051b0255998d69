/** A function as it stood on the stack; `url` is empty for what is not a script: a built-in, or native code. */
export interface Frame {
  functionName: string;
  url: string;
}

/** A profile as V8's sampling profiler gives it and a .cpuprofile holds it. Times are in microseconds. */
export interface CpuProfile {
  nodes: readonly { id: number; callFrame: Frame; children?: readonly number[] }[];
  /** Of each sample, the node that stood at the top of the stack. */
  samples: readonly number[];
  /** Of each sample, the time since the one before it. */
  timeDeltas: readonly number[];
}

/** A stack that was met, from the function that ran outwards. */
export interface Stack {
  frames: readonly Frame[];
  /** How often. */
  samples: number;
  /** How often of these one interval after the sample before, as it should be. */
  onTime: number;
}

/** In intervals between two samples: what comes after more is late. */
const LATE = 1.7;

/** Throws an Error for what is no profile. */
export function readProfile(value: unknown): CpuProfile {
  const profile = value as Partial<CpuProfile> | null;
  const { nodes, samples, timeDeltas } = profile ?? {};
  const isProfile =
    Array.isArray(nodes) &&
    nodes.every(node => Number.isInteger(node?.id) && typeof node.callFrame?.url === 'string') &&
    areNumbers(samples) &&
    areNumbers(timeDeltas) &&
    samples.length === timeDeltas.length;
  if (!isProfile) throw new Error(`V8 gave no profile: ${JSON.stringify(value)?.slice(0, 200)}`);
  return { nodes, samples, timeDeltas };
}

/** The middle of the times between two samples, in microseconds: while the thread had a processor. */
export function intervalUs({ timeDeltas }: CpuProfile): number {
  return timeDeltas.toSorted((a, b) => a - b)[timeDeltas.length >> 1] ?? 0;
}

/**
 * Each stack once. A thread without a processor is sampled as soon as it has one again: that late sample tells that it
 * had work, but where it stands depends on when the kernel takes processors away, as it does from who wakes another.
 */
export function stacksOf(profile: CpuProfile): Stack[] {
  const { nodes, samples, timeDeltas } = profile;
  const lateUs = LATE * intervalUs(profile);
  const counts = new Map<number, { samples: number; onTime: number }>();
  for (const [index, id] of samples.entries()) {
    const count = counts.get(id) ?? { samples: 0, onTime: 0 };
    count.samples++;
    if (timeDeltas[index]! <= lateUs) count.onTime++;
    counts.set(id, count);
  }
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const callers = new Map(nodes.flatMap(({ id, children = [] }) => children.map(child => [child, id])));
  return [...counts].map(([id, count]) => ({ frames: outwards(id, frames, callers), ...count }));
}

function outwards(
  top: number,
  frames: ReadonlyMap<number, Frame>,
  callers: ReadonlyMap<number, number>,
): Frame[] {
  const stack: Frame[] = [];
  // A tree has no more levels than nodes; a broken one must not hold us for ever.
  for (
    let id: number | undefined = top;
    id !== undefined && stack.length <= frames.size;
    id = callers.get(id)
  ) {
    const frame = frames.get(id);
    if (frame !== undefined) stack.push(frame);
  }
  return stack;
}

function areNumbers(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every(one => typeof one === 'number');
}
