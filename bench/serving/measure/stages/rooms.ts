import type { Frame } from './cpu-profile.ts';

/** Where processor time goes that no script of ours uses; what is ours goes by the name of its folder. */
export const ROOM = {
  outside: 'outside JavaScript: reads, polls',
  streams: 'node: sockets and streams',
  http: 'node: HTTP',
  ticks: 'node: ticks and promises',
  timers: 'node: timers',
  node: 'node: the rest',
  between: 'writing to the other process',
  toClients: 'writing answers',
  glue: "ONNX Runtime's JavaScript",
  graph: 'ONNX Runtime: the graph',
  program: 'Node and V8 themselves',
  garbage: 'garbage collection',
  threads: 'other threads',
  rest: 'everything else',
} as const;

/** What stands in no folder of its own. */
const OWN_FILES = { front: 'front, its own files', runtime: 'runtime, its own files' };

/** As a request passes them, and then what belongs to no place on its way. Others stand before the last ones. */
const ON_THE_WAY = [
  ROOM.outside,
  ROOM.streams,
  'front/lane',
  ROOM.http,
  OWN_FILES.front,
  'front/protocol/v2',
  'front/protocol/tensors',
  'inference',
  'routing',
  'cache',
  'batching',
  'engine',
  ROOM.glue,
  ROOM.graph,
  ROOM.between,
  'telemetry',
  ROOM.toClients,
];
const NOT_ON_THE_WAY = [
  ROOM.ticks,
  ROOM.timers,
  ROOM.node,
  ROOM.rest,
  ROOM.program,
  ROOM.garbage,
  ROOM.threads,
];

/** Of Node's scripts, those that are a place by themselves. The others are tools: their time is their caller's. */
const NODE_ROOMS: readonly (readonly [RegExp, string])[] = [
  [/^node:(net|stream|internal\/stream)/, ROOM.streams],
  [/^node:(_?http|internal\/http)/, ROOM.http],
  [/^node:(timers|internal\/timers)/, ROOM.timers],
  [/^node:(async_hooks|internal\/(async_|process\/|promise))/, ROOM.ticks],
];
/** Native functions by which a stream gives bytes to the kernel. */
const WRITES = /^write(v|Buffer|\w+String)$/;
const OURS = '/runtime/src/';
const PACKAGES = '/node_modules/';
const PROFILER = new URL('./profiler.ts', import.meta.url).href;

/** The room that a stack's time belongs to. Null: nobody worked, or only the profiler. */
export function roomOf(frames: readonly Frame[]): string | null {
  const [top] = frames;
  if (top === undefined || top.functionName === '(idle)') return null;
  if (top.functionName === '(garbage collector)') return ROOM.garbage;
  if (frames.some(({ url }) => url === PROFILER)) return null;
  const place = frames.map(({ url }) => placeOf(url)).find(found => found !== null);
  if (place === undefined) return frames.some(({ url }) => url !== '') ? ROOM.node : ROOM.program;
  if (top.url !== '') return place;
  if (place === ROOM.streams && WRITES.test(top.functionName)) return writesOf(frames);
  return place === ROOM.glue ? ROOM.graph : place;
}

/** Negative where the first comes first. */
export function byOrder(one: string, other: string): number {
  return rank(one) - rank(other) || (one < other ? -1 : 1);
}

function rank(room: string): number {
  const passed = ON_THE_WAY.indexOf(room);
  if (passed >= 0) return passed;
  // What else the front is made of, such as another protocol, where it would be passed.
  if (room.startsWith('front/')) return ON_THE_WAY.indexOf('front/protocol/tensors') + 0.5;
  const last = NOT_ON_THE_WAY.indexOf(room as (typeof NOT_ON_THE_WAY)[number]);
  return ON_THE_WAY.length + (last < 0 ? 0 : 1 + last);
}

/** Null of a tool, whose caller is the place. */
function placeOf(url: string): string | null {
  if (url.startsWith('node:')) return NODE_ROOMS.find(([pattern]) => pattern.test(url))?.[1] ?? null;
  const inPackage = url.lastIndexOf(PACKAGES);
  if (inPackage >= 0) return packageRoom(url.slice(inPackage + PACKAGES.length));
  const inOurs = url.lastIndexOf(OURS);
  if (inOurs >= 0) return folderRoom(url.slice(inOurs + OURS.length));
  return url === '' ? null : ROOM.rest;
}

function packageRoom(path: string): string {
  const name = path.split('/', path.startsWith('@') ? 2 : 1).join('/');
  return name.startsWith('onnxruntime') ? ROOM.glue : name;
}

/** As deep as a request's way has turns: the front's folders, and those of its protocols. */
function folderRoom(path: string): string {
  const folders = path.split('/').slice(0, -1);
  const depth = folders[0] !== 'front' ? 1 : folders[1] === 'protocol' ? 3 : 2;
  if (folders.length === 0) return OWN_FILES.runtime;
  const room = folders.slice(0, depth).join('/');
  return room === 'front' ? OWN_FILES.front : room;
}

/** By who of ours wrote. */
function writesOf(frames: readonly Frame[]): string {
  const writer = frames.find(({ url }) => url.includes(OURS));
  return writer !== undefined && placeOf(writer.url) === 'engine' ? ROOM.between : ROOM.toClients;
}
