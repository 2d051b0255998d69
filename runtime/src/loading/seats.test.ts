import { expect, test } from 'vitest';
import { steppedClock } from '../clock.fixture.ts';
import { scriptedEngine } from '../engine/scripted.fixture.ts';
import { WatchedEngine } from '../engine/watched.ts';
import { Seats } from './seats.ts';

const engine = (pid: number): WatchedEngine => new WatchedEngine(scriptedEngine(pid), steppedClock());

test('engines are named by seat, whichever came first', () => {
  const seats = new Seats();
  seats.up(1, engine(11));
  seats.up(0, engine(10));
  seats.up(1, engine(12));

  expect(seats.engines.map(({ pid }) => pid)).toEqual([10, 12]);
  seats.lost(0);
  expect(seats.engines.map(({ pid }) => pid)).toEqual([12]);
});

test('a revision rests only when all of its seats do, until the first is tried again', () => {
  const seats = new Seats();
  expect(seats.restsUntil).toBeNull();
  seats.up(0, engine(10));
  seats.up(1, engine(11));
  seats.down(0, 5000);
  expect(seats.restsUntil).toBeNull();

  seats.down(1, 3000);
  expect(seats.restsUntil).toBe(3000);

  seats.down(1, null);
  expect(seats.restsUntil).toBeNull();
});
