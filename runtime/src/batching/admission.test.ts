import { describe, expect, test } from 'vitest';
import { Admission, type AdmissionQuestion } from './admission.ts';

const ROOM: AdmissionQuestion = {
  rows: 1,
  waitingRows: 500,
  queuedRows: 500,
  busyRows: 16,
  isOut: false,
  rowsBefore: 500,
  nextRows: 64,
  drainPerMs: 2,
  leftMs: 300,
};

/** Of a queue for 1,000 rows that nobody was turned away from yet. */
function refusal(change: Partial<AdmissionQuestion> = {}) {
  return new Admission(1000).refusal({ ...ROOM, ...change }, 0)?.error ?? null;
}

/** One whose queue is kept short, since `now`. */
function shortened(now = 0): Admission {
  const admission = new Admission(1000);
  for (let count = 0; count < 64; count++) admission.refusal({ ...ROOM, waitingRows: 1000 }, now);
  return admission;
}

describe('a long queue', () => {
  test('lets in who fits and is in time', () => {
    expect(refusal()).toBeNull();
  });

  test('tells who finds it full when it will be empty', () => {
    const error = refusal({ waitingRows: 1000 });

    expect(error).toMatchObject({ code: 'E_OVERLOADED', details: { retryAfterMs: 500 } });
    expect(error?.message).toContain('1000 rows wait already and 1000 may');
  });

  test('tells who would only wait for a deadline at once', () => {
    const error = refusal({ leftMs: 200 });

    expect(error).toMatchObject({ code: 'E_OVERLOADED', details: { retryAfterMs: 250 } });
    expect(error?.message).toContain('takes about 250 ms, and it has 200 ms left');
  });

  test.each<[string, Partial<AdmissionQuestion>]>([
    ['goes before all others', { rowsBefore: 0 }],
    ['goes with the next batch', { rowsBefore: 63 }],
    ['comes when nothing is known', { drainPerMs: null }],
    ['has all the time', { leftMs: Number.POSITIVE_INFINITY }],
  ])('foretells nothing to who %s', (_, change) => {
    expect(refusal({ leftMs: 1, drainPerMs: 0.001, ...change })).toBeNull();
  });

  test('is not kept short for what comes while there is no engine', () => {
    const admission = new Admission(1000);
    const out = { ...ROOM, waitingRows: 1000, isOut: true };
    for (let count = 0; count < 200; count++)
      expect(admission.refusal(out, 0)).toMatchObject({ keepsRows: null });

    expect(admission.refusal({ ...ROOM, rowsBefore: 900, drainPerMs: null }, 0)).toBeNull();
  });

  test('tells nobody when, without a known rate', () => {
    expect(refusal({ waitingRows: 1000, drainPerMs: null })?.details).toEqual({});
  });

  test('sends nobody away for more than a minute', () => {
    expect(refusal({ waitingRows: 1000, drainPerMs: 1e-6 })?.details).toEqual({ retryAfterMs: 60_000 });
  });
});

test('all who are sent away within a moment are told the same, and who comes later how it is then', () => {
  const admission = new Admission(1000);
  const tell = (waitingRows: number, now: number) =>
    admission.refusal({ ...ROOM, waitingRows }, now)?.error.message;

  expect(tell(1000, 0)).toContain('1000 rows wait already');
  expect(tell(1024, 49)).toContain('1000 rows wait already');
  expect(tell(1024, 50)).toContain('1024 rows wait already');
});

describe('a queue that is kept short', () => {
  test('sends away what waits beyond it, once', () => {
    const admission = new Admission(1000);
    const kept = Array.from(
      { length: 70 },
      () => admission.refusal({ ...ROOM, waitingRows: 1000 }, 0)?.keepsRows,
    );

    expect(kept.filter(rows => rows !== null)).toEqual([16]);
  });

  test('takes no more than keeps the engines busy, and says so', () => {
    const admission = shortened();

    expect(admission.refusal({ ...ROOM, rowsBefore: 15 }, 100)).toBeNull();
    const error = admission.refusal({ ...ROOM, rowsBefore: 16, queuedRows: 16 }, 100)?.error;
    expect(error?.message).toContain('no more than 16 rows may wait, and 16 do');
  });

  test('takes who goes before the others', () => {
    expect(shortened().refusal({ ...ROOM, rowsBefore: 3 }, 10)).toBeNull();
  });

  test('takes a request of many rows where others would be taken', () => {
    expect(shortened().refusal({ ...ROOM, rows: 400, rowsBefore: 0 }, 10)).toBeNull();
  });
});

describe('who is sent away unread', () => {
  test('is nobody as long as there is room', () => {
    const admission = new Admission(1000);

    expect(admission.refusalUnread({ ...ROOM, waitingRows: 999 }, 0)).toBeNull();
    expect(shortened().refusalUnread({ ...ROOM, queuedRows: 15 }, 10)).toBeNull();
  });

  test('is not who waits only behind parts of a large request', () => {
    expect(shortened().refusalUnread({ ...ROOM, waitingRows: 900, queuedRows: 3 }, 10)).toBeNull();
  });

  test('are all but every sixty-fourth where there is none', () => {
    const admission = shortened();
    const read = Array.from({ length: 640 }, () => admission.refusalUnread(ROOM, 10) === null);

    expect(read.filter(Boolean)).toHaveLength(10);
  });

  test('is nobody for a minute after one stated a priority: it stands in what would not be read', () => {
    const admission = shortened();
    admission.noticePriority(10);

    expect(Array.from({ length: 40 }, () => admission.refusalUnread(ROOM, 20))).toEqual(Array(40).fill(null));
    for (let now = 20; now <= 60_010; now += 500) admission.refusal({ ...ROOM, rowsBefore: 16 }, now);
    for (let count = 0; count < 64; count++) admission.refusal({ ...ROOM, waitingRows: 1000 }, 60_010);
    expect(admission.refusalUnread(ROOM, 60_010)).not.toBeNull();
  });
});
