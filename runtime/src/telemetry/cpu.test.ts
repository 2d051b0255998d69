import { expect, test } from 'vitest';
import { steppedClock } from '../clock.fixture.ts';
import { CpuAccounts } from './cpu.ts';
import type { ProcessUsage } from './process-usage.ts';
import type { Running } from './running.ts';
import { backend, served } from './served.fixture.ts';
import { Tallies } from './tallies.ts';

const queue = {} as Running['queue'];
const running = (model: string, version: string, ...pids: number[]): Running => ({
  model,
  version,
  revision: `${model}-${version}`,
  pids,
  queue,
});
const usage = (cpuSeconds: number, startedTicks = '1'): ProcessUsage => ({
  cpuSeconds,
  startedTicks,
  residentBytes: 1,
});

function make() {
  const tallies = new Tallies({ clock: steppedClock(), most: 10, isModel: () => true });
  const front = { seconds: 100 };
  const cpu = new CpuAccounts({ tallies, frontSeconds: () => front.seconds });
  const serve = (model: string, rows: number, parseMs: number) =>
    tallies.served(
      served({
        model,
        backend: backend('1'),
        rows,
        batchRows: rows,
        stages: { parseMs, queueMs: 1, batchMs: 0, runMs: 1, encodeMs: 0 },
      }),
    );
  return { tallies, front, cpu, serve };
}

test('an engine is charged from its start, and again only with what it used since', () => {
  const { tallies, cpu } = make();
  const engines = [running('fraud', '1', 11, 12)];

  cpu.charge(
    engines,
    new Map([
      [11, usage(2)],
      [12, usage(1)],
    ]),
    0,
  );
  cpu.charge(
    engines,
    new Map([
      [11, usage(2.5)],
      [12, usage(1)],
    ]),
    1000,
  );

  expect(tallies.find('fraud', '1')?.engineCpuSeconds).toBeCloseTo(3.5);
});

test('another process with the id of one that is gone is charged from its own start', () => {
  const { tallies, cpu } = make();
  const engines = [running('fraud', '1', 11)];

  cpu.charge(engines, new Map([[11, usage(2)]]), 0);
  cpu.charge(engines, new Map([[11, usage(0.5, '7')]]), 1000);
  cpu.charge(engines, new Map(), 2000);
  cpu.charge(engines, new Map([[11, usage(0.75, '7')]]), 3000);

  expect(tallies.find('fraud', '1')?.engineCpuSeconds).toBeCloseTo(2 + 0.5 + 0.75);
});

test('the front is shared out by the time that it spent on each since it was last asked, none twice', () => {
  const { tallies, front, cpu, serve } = make();
  serve('fraud', 1, 3);
  serve('wine', 1, 1);
  front.seconds = 104;
  cpu.charge([], new Map(), 0);
  serve('wine', 1, 5);
  front.seconds = 105;
  cpu.charge([], new Map(), 1000);
  front.seconds = 200;
  cpu.charge([], new Map(), 2000);

  expect(tallies.find('fraud', '1')?.frontCpuSeconds).toBeCloseTo(3);
  expect(tallies.find('wine', '1')?.frontCpuSeconds).toBeCloseTo(1 + 1);
});

test('a thousand predictions cost what the last five minutes cost, not what once was', () => {
  const { front, cpu, serve } = make();
  const minute = (at: number, cpuSeconds: number, rows: number) => {
    serve('fraud', rows, 1);
    front.seconds += cpuSeconds;
    cpu.charge([], new Map(), at * 60_000);
    return Object.fromEntries(cpu.perThousand());
  };

  expect(minute(0, 1, 500)).toEqual({ fraud: 2 });
  for (let at = 1; at <= 5; at++) minute(at, 8, 1000);
  expect(minute(6, 8, 1000)['fraud']).toBeCloseTo(8);
  for (let at = 7; at <= 11; at++) minute(at, 1, 1000);
  expect(minute(12, 1, 1000)['fraud']).toBeCloseTo(1);
});

test('a model that answered nothing lately has no price', () => {
  const { front, cpu, serve } = make();
  serve('fraud', 10, 1);
  cpu.charge([], new Map(), 0);
  for (let at = 1; at <= 7; at++) {
    serve('wine', 10, 1);
    front.seconds++;
    cpu.charge([], new Map(), at * 60_000);
  }

  expect(Object.keys(Object.fromEntries(cpu.perThousand()))).toEqual(['wine']);
});
