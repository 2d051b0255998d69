/** Of the memory there is: the rest is for this process, for everybody else, and for what engines grow between looks. */
const SHARE = 0.5;
const MIB = 2 ** 20;

export interface EngineMemory {
  /** That all engines together may hold. */
  bytes: number;
  /** One clause for a person. */
  why: string;
}

export interface MemoryFound {
  /** By an option; undefined: it is for us to choose. */
  statedBytes: number | undefined;
  machineBytes: number;
  /** Of the control group; 0, or more than the machine has, where there is no limit. */
  limitBytes: number;
}

/** What the engines of one runtime may hold, all together. */
export function chooseEngineMemory({ statedBytes, machineBytes, limitBytes }: MemoryFound): EngineMemory {
  if (statedBytes !== undefined) return { bytes: statedBytes, why: 'as --engine-memory-mib says' };
  const isLimited = limitBytes > 0 && limitBytes < machineBytes;
  const foundBytes = isLimited ? limitBytes : machineBytes;
  const whose = isLimited ? 'its control group allows' : 'the machine has';
  return {
    bytes: Math.floor(foundBytes * SHARE),
    why: `${SHARE * 100} % of the ${Math.round(foundBytes / MIB)} MiB that ${whose}`,
  };
}
