import { readFile } from 'node:fs/promises';

/**
 * Memory that a process holds alone, as the kernel says; null where it doesn't say, or there is no such process. Pages
 * of files, as those of Node and ONNX Runtime, are shared by all engines: they are there once, and can be given up.
 */
export async function residentBytes(pid: number): Promise<number | null> {
  return ownBytes(await readFile(`/proc/${pid}/status`, 'utf8').catch(() => ''));
}

/** Of the text of `/proc/<pid>/status`. A kernel before Linux 4.5 tells only what is resident in all. */
export function ownBytes(status: string): number | null {
  const anonymous = bytesOf('RssAnon', status);
  return anonymous === null ? bytesOf('VmRSS', status) : anonymous + (bytesOf('RssShmem', status) ?? 0);
}

function bytesOf(field: string, status: string): number | null {
  const kib = new RegExp(`^${field}:\\s*(\\d+) kB$`, 'm').exec(status)?.[1];
  return kib === undefined ? null : Number(kib) * 1024;
}
