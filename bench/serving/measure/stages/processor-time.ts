/** One thread of a process. */
export interface ThreadUse {
  id: number;
  name: string;
  /** The one that runs JavaScript. */
  isMain: boolean;
  /** Microseconds of processor time since it began, its own and the kernel's for it. */
  ranUs: number;
  /** Microseconds in which it could have run and no processor was free. */
  waitedUs: number;
}

/** What a process used between two looks at its threads, in microseconds. */
export interface ProcessorTime {
  mainUs: number;
  /** Of the main thread. */
  waitedUs: number;
  othersUs: number;
}

/** V8's name for the thread that takes the samples: not there unless somebody profiles. */
const SAMPLER = 'v8:ProfEvntProc';

export function processorTime(before: readonly ThreadUse[], after: readonly ThreadUse[]): ProcessorTime {
  const earlier = new Map(before.map(thread => [thread.id, thread]));
  const time = { mainUs: 0, waitedUs: 0, othersUs: 0 };
  for (const { id, name, isMain, ranUs, waitedUs } of after) {
    const used = ranUs - (earlier.get(id)?.ranUs ?? 0);
    if (isMain) time.waitedUs += waitedUs - (earlier.get(id)?.waitedUs ?? 0);
    if (isMain) time.mainUs += used;
    else if (name !== SAMPLER) time.othersUs += used;
  }
  return time;
}
