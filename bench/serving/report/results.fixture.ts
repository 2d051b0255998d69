import type { OpenResult, Quantiles } from '../load/open.ts';
import type { Cell, Disturbed, PushTrail, Results, SubjectResult } from '../results.ts';

/** Results of a run that never was, with a name that has to be escaped. */
export function someResults(): Results {
  const swap = disturbed(100);
  return {
    machine: {
      processor: 'Imaginary 9000',
      cores: 2,
      memoryGiB: 8,
      system: 'Linux 6',
      node: 'v24.0.0',
      onnxRuntime: '1.30.0',
      commit: 'abcdef0',
      date: '2026-03-01',
      loadBefore: 0,
    },
    tables: [
      {
        model: 'iris',
        what: 'softmax',
        encoding: 'json',
        subjects: [
          subject('switchback', 'ours', [800, 8000, 9000]),
          subject('fastify', 'bare', [1000, 10_000, 10_000]),
          subject('<peer> & "co"', 'peer', [100, 200, 200]),
        ],
        missing: [{ name: 'bentoml', why: 'its packages | could not be installed' }],
      },
    ],
    raw: [{ model: 'wide-cnn', perRow: [{ batch: 1, us: 2000 }], ratio: 0.96, perSecond: 480 }],
    stages: [
      {
        model: 'iris',
        connections: 32,
        requests: 20_000,
        processes: [
          {
            process: 'front',
            us: 40,
            waitedShare: 0.25,
            rooms: [
              { room: 'outside JavaScript: reads, polls', us: 10 },
              { room: 'front/lane', us: 6 },
              { room: 'writing answers', us: 23.8 },
              { room: '<a package>', us: 0.2 },
            ],
          },
          {
            process: 'engine',
            us: 10,
            waitedShare: 0,
            rooms: [{ room: 'ONNX Runtime: the graph', us: 10 }],
          },
        ],
      },
    ],
    swap,
    kill: { ...swap, times: 20, failed: 3, p99Ratio: 1.5 },
    push: {
      model: 'iris',
      everyMs: 5,
      pollMs: 1000,
      trails: [trail(300), trail(1200), trail(280)],
      asked: 900,
      failed: 2,
    },
    neighbours: {
      light: 'iris',
      heavy: 'wide-cnn',
      heavyPerSecond: 450,
      alone: [open(2), open(2)],
      beside: open(3),
    },
    overload: {
      model: 'wide-cnn',
      capacityPerSecond: 480,
      unloaded: open(2),
      overloaded: { ...open(8), failed: { 'HTTP 504': 7 } },
      p99Ratio: 4,
    },
    availability: {
      model: 'wide-cnn',
      perSecond: 170,
      deeds: { 'version swapped': 3, 'engine killed': 3 },
      steady: { sent: 10_000, answered: 9995, turnedAway: 1, failed: 4, slowestMs: 120 },
      overloaded: { sent: 5000, answered: 600, turnedAway: 4400, failed: 0, slowestMs: 40 },
      tookMs: 600_000,
    },
    soak: {
      requests: 2e6,
      failed: 0,
      samples: [1, 2].map(million => ({ requests: million * 1e6, frontMiB: 100, engineMiB: 150 })),
    },
  };
}

function open(p99Ms: number): OpenResult {
  const quantiles: Quantiles = {
    count: 1000,
    p50Ms: p99Ms / 4,
    p95Ms: p99Ms / 2,
    p99Ms,
    p999Ms: p99Ms * 2,
    mostMs: p99Ms * 3,
  };
  const window = { answered: 100, p50Ms: p99Ms / 4, p99Ms, failed: 0 };
  const windows = [0, 1000, 2000].map(atMs => ({ ...window, atMs }));
  return {
    sent: 1000,
    answered: quantiles,
    turnedAway: { ...quantiles, count: 0 },
    failed: {},
    latenessP99Ms: 0.1,
    windows,
  };
}

function disturbed(times: number): Disturbed {
  return {
    times,
    perSecond: 3000,
    quiet: [open(2), open(2)],
    disturbed: open(2.1),
    failed: 0,
    p99Ratio: 1.05,
    tookMs: [100, 120],
    atMs: [500, 1500],
  };
}

function trail(answeredMs: number): PushTrail {
  return {
    pushMs: 60,
    seenMs: answeredMs * 0.5,
    publishedMs: answeredMs * 0.52,
    pulledMs: answeredMs * 0.6,
    readyMs: answeredMs * 0.95,
    answeredMs,
  };
}

function subject(name: string, role: SubjectResult['role'], rates: readonly number[]): SubjectResult {
  const cells = rates.map(
    (perSecond, index): Cell => ({
      connections: [1, 32, 128][index]!,
      perSecond,
      p50Ms: 1,
      p99Ms: 3,
      frontUs: 30,
      engineUs: role === 'ours' ? 12 : 0,
      failed: 0,
      rounds: [perSecond / 2, perSecond, perSecond * 2],
    }),
  );
  return {
    name,
    role,
    what: 'as it is',
    cells,
    half: { perSecond: 4500, open: open(2), refused: 0 },
    residentMiB: 200,
  };
}
