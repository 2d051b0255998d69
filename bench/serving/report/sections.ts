import type { OpenResult } from '../load/open.ts';
import type {
  AvailabilityResult,
  Disturbed,
  NeighboursResult,
  OverloadResult,
  PushResult,
  RawResult,
  Results,
  SoakResult,
  Table,
} from '../results.ts';
import { median, quantile } from '../statistics.ts';
import { ms } from './figures.ts';
import { stagesAlone, stagesBeside, stagesSection } from './stages.ts';
import {
  availabilityGrid,
  budgetGrid,
  disturbedGrid,
  type Grid,
  halfGrid,
  neighboursGrid,
  overloadGrid,
  pushGrid,
  rawGrid,
  soakGrid,
  throughputGrid,
} from './tables.ts';
import { targetGrid, targetsOf } from './targets.ts';

export interface Section {
  title: string;
  /** What its figures are, in a sentence or two. */
  words: string;
  grid: Grid;
  /** Sentences below it. */
  notes?: readonly string[];
  /** Name of the plot beside it, without its ending. */
  plot?: string;
}

/** Everything that was measured, in the order in which it is told; the terminal and the page say the same. */
export function sectionsOf(results: Results): Section[] {
  const { tables, raw, stages, swap, kill, push, neighbours, overload, availability, soak } = results;
  return [
    ...targetSections(results),
    ...tables.flatMap(table => [...tableSections(table), ...stagesBeside(table, stages)]),
    ...stagesAlone(tables, stages).map(stagesSection),
    ...(raw.length === 0 ? [] : [rawSection(raw)]),
    ...(swap === null ? [] : [disturbedSection('Versions swapped under load', 'swap', swap)]),
    ...(kill === null ? [] : [disturbedSection('Engines killed under load', 'kill', kill)]),
    ...(push === null ? [] : [pushSection(push)]),
    ...(neighbours === null ? [] : [neighboursSection(neighbours)]),
    ...(overload === null ? [] : [overloadSection(overload)]),
    ...(availability === null ? [] : [availabilitySection(availability)]),
    ...(soak === null ? [] : [soakSection(soak)]),
  ];
}

/** Where nothing of it was measured there is nothing to tell. */
function targetSections(results: Results): Section[] {
  const targets = targetsOf(results);
  if (targets.every(({ measured }) => measured === null)) return [];
  return [
    {
      title: 'Beside the targets',
      words:
        'What is meant to be reached on two cores that also carry the load, and what came out here. Ratios are the middle of those at each number of connections.',
      grid: targetGrid(targets),
    },
  ];
}

function tableSections(table: Table): Section[] {
  const { model, what, encoding, subjects, missing } = table;
  const title = `${model}, ${encoding === 'json' ? 'JSON' : 'binary tensors'}`;
  return [
    {
      title,
      words: `The model: ${what}. One row a request, closed loop, the middle of all rounds.`,
      grid: throughputGrid(table),
      notes: [
        ...subjects.map(subject => `${subject.name}: ${subject.what}.`),
        ...missing.map(({ name, why }) => `Not in the table: ${name}, since ${why}.`),
      ],
      plot: `${model}-${encoding}`,
    },
    {
      title: `${title}: latency at half load`,
      words:
        'Half of what each did at most; latency of up to 1,000 requests a second with fixed arrivals, each from its intended start. The rest of the rate comes from callers who think for 10 to 30 ms.',
      grid: halfGrid(table),
      notes: subjects.flatMap(({ name, half }) => failureNotes(name, half.open)),
    },
    {
      title: `${title}: processor time a request`,
      words: 'User and system time of its processes, from the kernel. Connections as above.',
      grid: budgetGrid(table),
    },
  ];
}

function rawSection(raw: readonly RawResult[]): Section {
  return {
    title: 'Against the raw limit',
    words:
      'ONNX Runtime in a loop with one thread and no server, in turn with the runtime at 32 connections over JSON.',
    grid: rawGrid(raw),
  };
}

function disturbedSection(title: string, plot: string, disturbed: Disturbed): Section {
  return {
    title,
    words: `Fixed arrivals of ${Math.round(disturbed.perSecond)} a second, a tenth of capacity. Failed: anything but an answer, 429 and 503 too.`,
    grid: disturbedGrid(disturbed),
    notes: failureNotes('meanwhile', disturbed.disturbed),
    plot,
  };
}

function pushSection(push: PushResult): Section {
  const { model, everyMs, pollMs, trails, asked, failed } = push;
  const answeredMs = trails.map(trail => trail.answeredMs);
  const pushMs = median(trails.map(trail => trail.pushMs));
  const seconds = pollMs / 1000;
  return {
    title: 'Push to first answer',
    words: `A new version of ${model} is pushed to a remote over HTTP, the controller is nudged, and one caller asks every ${everyMs} ms until it answers. No canary and no soak; the controller fetches the files by LFS, the runtime from the controller.`,
    grid: pushGrid(push),
    notes: [
      `Pushed ${trails.length} times: the new version answered ${ms(median(answeredMs))} after the nudge (median), ${ms(quantile(answeredMs, 0.95))} (95 %).`,
      `The push itself took ${ms(pushMs)} before that (median).`,
      `Without a nudge the controller looks every ${seconds} s unless it is told otherwise: that adds half of it on average.`,
      `Meanwhile ${asked.toLocaleString('en')} requests were asked; ${failed} failed.`,
    ],
  };
}

function neighboursSection(neighbours: NeighboursResult): Section {
  const { light, heavy, heavyPerSecond, beside } = neighbours;
  return {
    title: 'Light beside heavy',
    words: `Fixed arrivals of ${light}, before, while and after ${heavy} in the same runtime is asked in a closed loop by 32 callers, who got ${Math.round(heavyPerSecond)} answers a second.`,
    grid: neighboursGrid(neighbours),
    notes: failureNotes('beside', beside),
  };
}

function overloadSection(overload: OverloadResult): Section {
  return {
    title: 'Overload',
    words: `Fixed arrivals of ${overload.model}, at a tenth and at ten times of its capacity. Turned away: 429 or 503.`,
    grid: overloadGrid(overload),
    notes: failureNotes('ten times', overload.overloaded),
  };
}

function availabilitySection(result: AvailabilityResult): Section {
  const deeds = Object.entries(result.deeds).map(([what, times]) => `${times} × ${what}`);
  const minutes = (result.tookMs / 60_000).toFixed(1);
  return {
    title: 'Availability',
    words: `Two runtimes behind a gateway, ${minutes} minutes: fixed arrivals of ${result.model}, ${Math.round(result.perSecond)} a second, while ${deeds.join(', ')}; and between, ten times what they can do.`,
    grid: availabilityGrid(result),
  };
}

function soakSection(soak: SoakResult): Section {
  return {
    title: 'Memory over many requests',
    words: '32 connections, as fast as it goes.',
    grid: soakGrid(soak),
    plot: 'soak',
  };
}

/** What failed, by what happened instead. */
function failureNotes(what: string, { failed }: OpenResult): string[] {
  const kinds = Object.entries(failed).map(([why, count]) => `${count} × ${why}`);
  return kinds.length === 0 ? [] : [`Failed, ${what}: ${kinds.join(', ')}.`];
}
