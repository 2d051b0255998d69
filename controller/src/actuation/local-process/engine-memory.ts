import { totalmem } from 'node:os';

/** As a runtime that has the machine for itself takes: the rest is for the runtimes themselves, and for everybody else. */
const SHARE = 0.5;
const LEAST_BYTES = 2 ** 20;

export interface MachineMemory {
  totalBytes: number;
  /** Of the control group; 0, or more than the machine has, where there is no limit. */
  limitBytes: number;
}

/** What the engines of one of so many runtimes on this machine may hold; undefined: it is alone, and chooses itself. */
export function engineMemoryBytes(runtimes: number, memory = machineMemory()): number | undefined {
  if (runtimes <= 1) return undefined;
  const { totalBytes, limitBytes } = memory;
  const foundBytes = limitBytes > 0 ? Math.min(limitBytes, totalBytes) : totalBytes;
  return Math.max(LEAST_BYTES, Math.floor((foundBytes * SHARE) / runtimes));
}

function machineMemory(): MachineMemory {
  return { totalBytes: totalmem(), limitBytes: process.constrainedMemory() };
}
