import { LIGHTEST } from '../model/models.ts';
import type { ProcessStages, Results, StagesResult, Table } from '../results.ts';
import { whole } from './figures.ts';
import { type Bar, barChart } from './svg.ts';
import type { Grid } from './tables.ts';

/** Rooms of less are left out of the plot. */
const PLOTTED_SHARE = 0.01;
const NAMED_ROOMS = 5;

/** A section of the report. */
export interface StagesSection {
  title: string;
  words: string;
  grid: Grid;
  notes: readonly string[];
  plot: string;
}

/** What belongs beside a table: of the same model, asked in the same way. */
export function stagesBeside(table: Table, stages: readonly StagesResult[]): StagesSection[] {
  return stages.filter(one => isBeside(table, one)).map(stagesSection);
}

/** Those that stand beside no table. */
export function stagesAlone(tables: readonly Table[], stages: readonly StagesResult[]): StagesResult[] {
  return stages.filter(one => !tables.some(table => isBeside(table, one)));
}

function isBeside({ model, encoding }: Table, stages: StagesResult): boolean {
  return model === stages.model && encoding === 'json';
}

export function stagesSection(stages: StagesResult): StagesSection {
  const { model, connections, requests, processes } = stages;
  const waits = processes.map(
    ({ process, waitedShare }) =>
      `the ${process} ${percent(waitedShare)} of the time in which it could have run`,
  );
  return {
    title: titleOf(stages),
    words: `JSON, ${connections} connections, closed loop. The shares are those of V8's sampling profiler over ${requests.toLocaleString('en')} requests, by the folder of the function that ran (of built-ins and Node's tools, of whoever called them); the profiler slows what it watches, so they are shares and not speeds. The microseconds are these shares of the processor time that a request took just after, without it.`,
    grid: stagesGrid(stages),
    notes: [
      'Outside JavaScript: what the main thread used beyond all that was sampled. There libuv reads sockets and polls; what it costs to be woken by the profiler is in it, which shows where a process is mostly idle.',
      'Other threads: compiling and garbage collection in the background, and the pool; not the profiler. Compiling ends some seconds after the start, so that a short run shows more of it.',
      `No processor was free for ${waits.join(', for ')}.`,
    ],
    plot: plotName(model),
  };
}

export function stagesGrid({ processes }: StagesResult): Grid {
  return [
    ['where', 'µs a request', 'share'],
    ...processes.flatMap(({ process, us, rooms }) => [
      ...rooms.map(room => [`${process}: ${room.room}`, tenths(room.us), percent(room.us / us)]),
      [`${process}, in all`, tenths(us), percent(1)],
    ]),
  ];
}

/** SVG by name of its file, without the ending. */
export function stagePlots({ stages }: Results): Map<string, string> {
  return new Map(
    stages.map(one => {
      const all = one.processes.reduce((sum, { us }) => sum + us, 0);
      const bars = one.processes.flatMap(process => barsOf(process, all * PLOTTED_SHARE));
      return [plotName(one.model), barChart(`${titleOf(one)}, in µs (grey: in the engine)`, bars)];
    }),
  );
}

function barsOf({ process, rooms }: ProcessStages, leastUs: number): Bar[] {
  const kind = process === 'front' ? 'ours' : 'bare';
  return rooms
    .filter(({ us }) => us >= leastUs)
    .map(({ room, us }) => ({
      label: room.replace(/^outside JavaScript: /, ''),
      value: us,
      text: tenths(us),
      kind,
    }));
}

/** For a terminal, of the lightest model; nothing where it was not measured. */
export function stagesLine({ stages }: Results): string[] {
  const front = stages
    .find(({ model }) => model === LIGHTEST)
    ?.processes.find(({ process }) => process === 'front');
  if (front === undefined) return [];
  const largest = front.rooms.toSorted((one, other) => other.us - one.us).slice(0, NAMED_ROOMS);
  const shares = largest.map(({ room, us }) => `${room} ${percent(us / front.us)}`);
  return [`A request of ${LIGHTEST} takes the front ${tenths(front.us)} µs: ${shares.join('; ')}.`];
}

function titleOf({ model }: StagesResult): string {
  return `${model}: where the processor time of a request goes`;
}

function plotName(model: string): string {
  return `${model}-stages`;
}

function tenths(us: number): string {
  return us < 100 ? us.toFixed(1) : whole(us);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
