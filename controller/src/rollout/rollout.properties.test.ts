import type { Breach, RevisionId, VerdictKind } from '@switchback-ml/schemas';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RevisionSpec } from '../desired/desired-state.ts';
import {
  desiredOf,
  FRAUD,
  holdOf,
  MINUTE,
  openRollback,
  PROD,
  START,
  specOf,
  stateOf,
  steadyOn,
  verdictOf,
} from './rollout.fixture.ts';
import { backendsOf, type RolledOut, type RolloutInput, rollout } from './rollout.ts';
import type { OpenRollback, RolloutState } from './rollout-state.ts';

const SUBJECT = 'prod/fraud';

const UNDECIDED = ['page', 'continue', 'rollback'] as const;
const STEPS = [
  { weight: 10, for: MINUTE, requests: 10 },
  { weight: 50, for: 2 * MINUTE, requests: 20 },
];
const POOL: RevisionSpec[] = ['1.0.0', '1.1.0', '1.2.0'].flatMap((version, index) => [
  specOf(version, {
    rollout: { canary: { steps: STEPS, undecided: { after: 6 * MINUTE, then: UNDECIDED[index] ?? 'page' } } },
  }),
  specOf(version, { limits: { timeout: 5 } }),
]);

type Happening =
  | { kind: 'commit'; wanted: number | null }
  | { kind: 'hold'; held: number }
  | { kind: 'lift' }
  | { kind: 'break'; isBroken: boolean }
  | { kind: 'look'; minutes: number; requests: number; verdict: VerdictKind; breach: Breach }
  | { kind: 'pause'; isPaused: boolean }
  | { kind: 'roll-back' }
  | { kind: 'rolled-back' }
  | { kind: 'hear'; served: 'what shall be' | 'nothing' | 'no word' };

const anyRevision = fc.nat({ max: POOL.length - 1 });
const aLook = fc.record({
  kind: fc.constant('look' as const),
  minutes: fc.constantFrom(0, 0.5, 1, 2, 3, 7),
  requests: fc.constantFrom(0, 1, 5, 10, 20, 100),
  verdict: fc.constantFrom<VerdictKind[]>(
    'healthy',
    'healthy',
    'healthy',
    'degraded',
    'inconclusive',
    'error',
  ),
  breach: fc.constantFrom<Breach[]>('rollback', 'hold', 'page', 'notify'),
});
const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 12, arbitrary: aLook },
  { weight: 4, arbitrary: anyRevision.map(wanted => ({ kind: 'commit' as const, wanted })) },
  { weight: 1, arbitrary: fc.constant({ kind: 'commit' as const, wanted: null }) },
  { weight: 1, arbitrary: anyRevision.map(held => ({ kind: 'hold' as const, held })) },
  { weight: 1, arbitrary: fc.constant({ kind: 'lift' as const }) },
  { weight: 1, arbitrary: fc.boolean().map(isBroken => ({ kind: 'break' as const, isBroken })) },
  { weight: 1, arbitrary: fc.boolean().map(isPaused => ({ kind: 'pause' as const, isPaused })) },
  { weight: 2, arbitrary: fc.constant({ kind: 'roll-back' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'rolled-back' as const }) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom('what shall be' as const, 'nothing' as const, 'no word' as const)
      .map(served => ({ kind: 'hear' as const, served })),
  },
);

/** The world around one deployment, and what has been seen of it so far. */
interface World {
  state: RolloutState | null;
  wanted: RevisionSpec | null;
  held: RevisionSpec[];
  isBroken: boolean;
  open: OpenRollback | null;
  verdict: ReturnType<typeof verdictOf> | null;
  requests: number;
  served: Extract<Happening, { kind: 'hear' }>['served'];
  now: number;
  /** By what was told alone: revisions that baked and were not rolled back since. */
  baked: Set<string>;
  /** Since when the newest revision has had traffic. */
  entered: { id: string; at: number; hadStable: boolean } | null;
}

function happen(world: World, event: Happening): World {
  const { state } = world;
  switch (event.kind) {
    case 'commit':
      return { ...world, wanted: event.wanted === null ? null : POOL[event.wanted]! };
    case 'hold':
      return { ...world, held: [...world.held, POOL[event.held]!] };
    case 'lift':
      return { ...world, held: [] };
    case 'hear':
      return { ...world, served: event.served };
    case 'break':
      return { ...world, isBroken: event.isBroken };
    case 'pause':
      return state ? { ...world, state: { ...state, paused: event.isPaused ? PAUSE : null } } : world;
    case 'roll-back':
      return !world.open && state?.candidate && state.stable
        ? { ...world, open: openRollback(state.candidate.revision, state.stable) }
        : world;
    case 'rolled-back':
      return world.open
        ? { ...world, open: null, wanted: world.open.to, held: [...world.held, world.open.from] }
        : world;
    case 'look': {
      const requests = world.requests + event.requests;
      const verdict = verdictOf(event.verdict, requests, { breach: event.breach });
      return { ...world, now: world.now + event.minutes * MINUTE, requests, verdict };
    }
  }
}

const PAUSE = { by: 'mei', reason: 'lunch', since: START };

function inputOf(world: World): RolloutInput {
  const holds = world.held.map(spec => holdOf(spec));
  return {
    desired: desiredOf(world.wanted, { holds, isBroken: world.isBroken }),
    states: new Map(world.state ? [[SUBJECT, world.state]] : []),
    openRollbacks: world.open ? [world.open] : [],
    verdicts: new Map(world.verdict ? [[SUBJECT, world.verdict]] : []),
    served: () => servedIn(world),
    now: world.now,
  };
}

function servedIn({ state, served }: World): ReadonlyMap<RevisionId, number> | null {
  if (served === 'no word') return null;
  const backends = state && served === 'what shall be' ? backendsOf(state) : [];
  return new Map(backends.map(({ revision, weight }) => [revision, weight]));
}

const newestOf = (state: RolloutState | null): string | null =>
  (state?.candidate?.revision ?? state?.stable)?.id ?? null;

/** What the next look may know: a verdict is on one life of one revision, and counts begin again with the next. */
function remember(world: World, rolled: RolledOut): World {
  const state = rolled.states.get(SUBJECT) ?? null;
  const baked = new Set(world.baked);
  for (const { outcome, revision } of rolled.settled) {
    if (outcome === 'baked') baked.add(revision.id);
    if (outcome === 'rolled-back') baked.delete(revision.id);
  }
  const isSame = newestOf(state) === newestOf(world.state) && state?.since === world.state?.since;
  if (isSame) return { ...world, state, baked };
  const id = newestOf(state);
  const entered = id ? { id, at: world.now, hadStable: state?.stable != null } : null;
  return { ...world, state, baked, verdict: null, requests: 0, entered };
}

function weightsOf(rolled: RolledOut): Map<string, number> {
  const backends = rolled.target.get(PROD)?.get(FRAUD)?.backends ?? [];
  return new Map(backends.map(({ revision, weight }) => [revision, weight]));
}

type Rule = (before: World, rolled: RolledOut, after: World) => void;

const RULES: Record<string, Rule> = {
  'the weights of a route add up to 100, and none is negative': (_, rolled) => {
    const weights = [...weightsOf(rolled).values()];
    if (weights.length > 0) expect(weights.reduce((sum, weight) => sum + weight, 0)).toBe(100);
    for (const weight of weights) expect(weight).toBeGreaterThanOrEqual(0);
  },

  'a candidate beside stable has no more than the weight of its step': (_, rolled) => {
    const { candidate, stable } = rolled.states.get(SUBJECT) ?? stateOf();
    if (!candidate || !stable || candidate.phase === 'baking') return;
    const { steps } = candidate.revision.settings.rollout;
    expect(weightsOf(rolled).get(candidate.revision.id)).toBe(steps[candidate.step]?.weight);
  },

  'what has not baked gets more than the first step only after its time and its requests': (
    _,
    rolled,
    after,
  ) => {
    for (const [id, weight] of weightsOf(rolled)) {
      if (after.baked.has(id) || id !== after.entered?.id || !after.entered.hadStable) continue;
      const [first] = POOL.find(spec => spec.id === id)?.settings.rollout.steps ?? [];
      if (!first || weight <= first.weight) continue;
      expect(after.now - after.entered.at).toBeGreaterThanOrEqual(first.forMs);
      expect(after.requests).toBeGreaterThanOrEqual(first.requests);
    }
  },

  'all traffic comes only by baking, by being first, or after every step': (_, rolled, after) => {
    for (const [id, weight] of weightsOf(rolled)) {
      if (weight < 100 || after.baked.has(id) || id !== after.entered?.id || !after.entered.hadStable)
        continue;
      const steps = POOL.find(spec => spec.id === id)?.settings.rollout.steps ?? [];
      expect(after.now - after.entered.at).toBeGreaterThanOrEqual(
        steps.reduce((sum, { forMs }) => sum + forMs, 0),
      );
    }
  },

  'what serves everything keeps the rest while a new one is tried, baked or not': (before, rolled) => {
    const { state } = before;
    if (!newestOf(state) || state?.halted || before.served !== 'what shall be') return;
    const known = [state?.stable?.id, state?.candidate?.revision.id, before.open?.to.id];
    for (const [id, weight] of weightsOf(rolled)) {
      const [first] = POOL.find(spec => spec.id === id)?.settings.rollout.steps ?? [];
      if (!first || known.includes(id as RevisionId) || before.baked.has(id)) continue;
      expect(weight).toBe(first.weight);
    }
  },

  'with an open rollback the failing revision has no weight': (before, rolled) => {
    if (before.open) expect(weightsOf(rolled).get(before.open.from.id) ?? 0).toBe(0);
  },

  'a degraded verdict of a binding objective leads to no advance': (before, rolled) => {
    const { verdict } = before;
    if (verdict?.verdict !== 'degraded' || verdict.breach === 'page' || verdict.breach === 'notify') return;
    expectNoAdvance(before, rolled);
  },

  'a paused rollout keeps its weights': (before, rolled) => {
    const isAsked = before.wanted === null || before.wanted.id === newestOf(before.state);
    if (!before.state?.paused || before.open || before.held.length > 0 || !isAsked) return;
    expect(rolled.states.get(SUBJECT)).toBe(before.state);
  },

  'what can not be read keeps its state': (before, rolled) => {
    if (!before.state || before.open || (before.wanted !== null && !before.isBroken)) return;
    const kept = rolled.states.get(SUBJECT);
    expect({ ...kept, halted: null }).toEqual({ ...before.state, halted: null });
  },

  'going back to stable in the middle of a canary is at once': (before, rolled) => {
    const { state, wanted, isBroken, open } = before;
    if (!state?.candidate || !state.stable || wanted?.id !== state.stable.id || isBroken || open) return;
    expect([...weightsOf(rolled)]).toEqual([[state.stable.id, 100]]);
  },

  'the state survives being written down and read again': (_, rolled) => {
    const state = rolled.states.get(SUBJECT) ?? null;
    expect(JSON.parse(JSON.stringify(state))).toEqual(state);
  },

  'looking again with nothing new changes nothing and says nothing': (_, rolled, after) => {
    const again = rollout(inputOf(after));
    expect(again.states.get(SUBJECT)).toBe(rolled.states.get(SUBJECT));
    expect(again.events).toEqual([]);
    expect(again.settled).toEqual([]);
    expect(again.target).toEqual(rolled.target);
  },

  'the next look is never due in the past': (before, rolled) => {
    expect(rolled.wakeAt).toBeGreaterThanOrEqual(before.now);
  },
};

function expectNoAdvance(before: World, rolled: RolledOut): void {
  const candidate = before.state?.candidate;
  if (!candidate) return;
  const after = rolled.states.get(SUBJECT);
  if (after?.candidate?.revision.id === candidate.revision.id) {
    expect(after.candidate.step).toBe(candidate.step);
    expect(after.candidate.phase === 'baking').toBe(candidate.phase === 'baking');
  } else if (before.state?.stable) {
    expect(after?.stable?.id).not.toBe(candidate.revision.id);
  }
}

describe('after any sequence of happenings', () => {
  test.each(Object.entries(RULES))('%s', (_, rule) => {
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.array(happening, { minLength: 1, maxLength: 40 }),
        (isSteady, happenings) => {
          let world = startOf(isSteady);
          for (const event of happenings) {
            const before = happen(world, event);
            const rolled = rollout(inputOf(before));
            world = remember(before, rolled);
            rule(before, rolled, world);
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  test('most of what can happen does happen', () => {
    const seen = new Set<string>();
    const sequence = fc.tuple(fc.boolean(), fc.array(happening, { minLength: 20, maxLength: 40 }));
    for (const [isSteady, happenings] of fc.sample(sequence, { numRuns: 400, seed: 7 })) {
      let world = startOf(isSteady);
      for (const event of happenings) {
        const before = happen(world, event);
        const rolled = rollout(inputOf(before));
        for (const { type } of rolled.events) seen.add(type);
        world = remember(before, rolled);
      }
    }

    expect([...seen].sort()).toEqual([
      'rollout.baked',
      'rollout.halted',
      'rollout.promoted',
      'rollout.started',
      'rollout.stepped',
      'rollout.superseded',
      'rollout.undecided',
      'traffic.shifted',
    ]);
  });
});

function startOf(isSteady: boolean): World {
  const first = POOL[0]!;
  return {
    state: isSteady ? steadyOn(first) : null,
    wanted: isSteady ? first : POOL[1]!,
    held: [],
    isBroken: false,
    open: null,
    verdict: null,
    requests: 0,
    served: 'what shall be',
    now: START,
    baked: new Set(isSteady ? [first.id] : []),
    entered: null,
  };
}
