import { profileOnSignal } from './profiler.ts';

/* Loaded before an engine's program. */
profileOnSignal(new URL(import.meta.url).searchParams.get('folder')!);
