import { describe, expect, test } from 'vitest';
import type { DesiredState, RevisionSpec } from '../desired/desired-state.ts';
import { revision } from '../desired/identity.ts';
import {
  candidateWith,
  desiredWith,
  HEAD,
  holdOn,
  NOW,
  ONE,
  rollbackIn,
  rolloutWith,
  SETTINGS,
  type StatePart,
  SUBJECT,
  stateWith,
  THREE,
  TWO,
  VERSIONS,
  viewWith,
} from '../registry/deployed.fixture.ts';
import type { Baked } from '../rollout/rollout-state.ts';
import { type Decided, decide, type PersonVerb } from './person-request.ts';

describe('a rollback', () => {
  test('leaves the candidate for what is stable, because of the commit that brought it', () => {
    const commit = 'c'.repeat(40) as never;
    const rollout = rolloutWith({ candidate: candidateWith({ commit }) });

    const { request, did } = wish('rollback', { rollout });

    expect(request).toEqual({
      kind: 'intend',
      intent: {
        kind: 'rollback',
        environment: 'prod',
        model: 'screening',
        from: THREE,
        to: TWO,
        cause: commit,
        reason: 'customers complain',
        evidence: {},
        by: 'mei',
      },
    });
    expect(did).toBe('the traffic of prod/screening goes back from 1.2.0 to 1.1.0');
  });

  test('with nothing under way goes to the newest revision that baked before the present one', () => {
    const rollout = rolloutWith({ stable: THREE, baked: [baked(ONE), baked(TWO), baked(THREE)] });

    expect(fromTo(wish('rollback', { rollout }))).toEqual({ from: THREE, to: TWO, cause: HEAD });
  });

  test('never goes forward to one that baked after the present one', () => {
    const rollout = rolloutWith({ stable: TWO, baked: [baked(ONE), baked(TWO), baked(THREE)] });

    expect(fromTo(wish('rollback', { rollout })).to).toEqual(ONE);
  });

  test('passes over one that is on hold, and one whose version has left git', () => {
    const rollout = rolloutWith({ stable: THREE, baked: [baked(ONE), baked(TWO), baked(THREE)] });
    const held = desiredWith({ wanted: THREE, holds: [holdOn(TWO)] });
    const gone = withVersions(desiredWith({ wanted: THREE }), [VERSIONS[0]!, VERSIONS[2]!]);

    expect(fromTo(wish('rollback', { rollout, desired: held })).to).toEqual(ONE);
    expect(fromTo(wish('rollback', { rollout, desired: gone })).to).toEqual(ONE);
  });

  test('takes the settings that hold now, also where the release can’t be read', () => {
    const newer = { ...SETTINGS, limits: { ...SETTINGS.limits, maxBatch: 7 } };
    const stable = revision(VERSIONS[1]!, newer);
    const rollout = rolloutWith({ stable, baked: [baked(ONE), baked(stable)] });

    for (const wanted of [stable, null])
      expect(fromTo(wish('rollback', { rollout, desired: desiredWith({ wanted }) })).to).toEqual(
        revision(VERSIONS[0]!, newer),
      );
  });

  test.each([
    ['a first release that is under way', { stable: null, candidate: candidateWith() }],
    ['the only one that ever baked', { baked: [baked(TWO)] }],
    ['one that never baked', { baked: [] }],
    ['other settings of the same version', { baked: [{ ...baked(TWO), id: 'a'.repeat(12) as never }] }],
  ])('from %s has nothing to go back to and says what can be done', (_, part) => {
    expect(() => wish('rollback', { rollout: rolloutWith(part) })).toThrow(
      expect.objectContaining({
        code: 'E_NO_LAST_GOOD',
        message: expect.stringContaining('Promote a better'),
      }),
    );
  });

  test('that is under way already is told of, not asked for again', () => {
    const open = [rollbackIn('moved')];

    for (const verb of ['rollback', 'abort'] as const) {
      const { request, did } = wish(verb, { rollout: rolloutWith(), open });
      expect(request).toBeNull();
      expect(did).toBe('the traffic of prod/screening is already on its way back from 1.2.0 to 1.1.0');
    }
  });

  test('says the first line of the commit, and whether a person must merge it', () => {
    const release = 'environments/prod/screening/release.yaml';
    const history = {
      ...viewWith().history,
      paths: new Map([
        [
          release,
          [
            {
              commit: HEAD,
              parent: null,
              at: NOW,
              author: 'mei',
              subject: 'x',
              blob: 'b'.repeat(40) as never,
              alone: true,
            },
          ],
        ],
      ]),
    };
    const says = (policy: Parameters<typeof desiredWith>[1]) =>
      wish(
        'rollback',
        {
          rollout: rolloutWith({ candidate: candidateWith() }),
          desired: desiredWith({ wanted: THREE }, policy),
        },
        history,
      ).gitWillSay;

    expect(says({})).toBe('prod/screening: back to 1.1.0 (customers complain), 1.2.0 on hold');
    expect(says({ mode: 'propose' })).toBe(`${says({})} (on a branch, for a person to merge)`);
  });

  test('where no release is left to change only promises the hold', () => {
    const rollout = rolloutWith({ candidate: candidateWith() });

    expect(wish('rollback', { rollout }).gitWillSay).toBe(
      'prod/screening: 1.2.0 on hold (customers complain)',
    );
  });
});

describe('an abort', () => {
  test('is the rollback of a candidate', () => {
    const rollout = rolloutWith({ candidate: candidateWith() });

    expect(wish('abort', { rollout })).toEqual(wish('rollback', { rollout }));
  });

  test('with no candidate is refused, and names what to do instead', () => {
    const rollout = rolloutWith({ stable: THREE, baked: [baked(TWO), baked(THREE)] });

    expect(() => wish('abort', { rollout })).toThrow(
      expect.objectContaining({
        code: 'E_CONFLICT',
        message: expect.stringContaining('switchback rollback prod/screening'),
      }),
    );
  });
});

describe('a pause', () => {
  test('keeps the candidate at its weight, and a resume undoes it', () => {
    const { request, did, undo } = wish('pause', { rollout: rolloutWith({ candidate: candidateWith() }) });

    expect(request).toEqual({ kind: 'pause', subject: SUBJECT, by: 'mei', reason: 'customers complain' });
    expect(did).toBe('1.2.0 stays at 5 % in prod/screening; if it turns out bad it is still rolled back');
    expect(undo).toBe('switchback resume prod/screening --reason …');
  });

  test('of what is paused, and a resume of what is not, are told of and change nothing', () => {
    const paused = { by: 'ana', reason: 'audit', since: NOW };

    const again = wish('pause', { rollout: rolloutWith({ candidate: candidateWith(), paused }) });
    const never = wish('resume', { rollout: rolloutWith({ candidate: candidateWith() }) });

    expect(again).toMatchObject({ request: null, did: 'prod/screening was paused already, by ana: audit' });
    expect(never).toMatchObject({ request: null, did: 'prod/screening was not paused' });
  });

  test('with no rollout under way is refused', () => {
    expect(() => wish('pause', {})).toThrow(expect.objectContaining({ code: 'E_CONFLICT' }));
  });

  test('is ended by a resume', () => {
    const paused = { by: 'ana', reason: 'audit', since: NOW };
    const { request } = wish('resume', { rollout: rolloutWith({ candidate: candidateWith(), paused }) });

    expect(request).toMatchObject({ kind: 'resume', subject: SUBJECT });
  });
});

test.each(['rollback', 'abort', 'pause', 'resume'] as const)('a %s of no deployment is refused', verb => {
  for (const state of [{ rollout: null }, { desired: null }, { head: null }])
    expect(() => wish(verb, state)).toThrow(expect.objectContaining({ code: 'E_NOT_FOUND' }));
});

function wish(verb: PersonVerb, state: StatePart, history = viewWith().history): Decided {
  return decide(
    { verb, subject: SUBJECT, by: 'mei', reason: 'customers complain' },
    { state: stateWith(state), history, epoch: 3, now: NOW },
  );
}

function fromTo({ request }: Decided) {
  if (request?.kind !== 'intend' || request.intent.kind !== 'rollback') throw new Error('no rollback');
  const { from, to, cause } = request.intent;
  return { from, to, cause };
}

function baked({ id, digest, version }: RevisionSpec): Baked {
  return { id, digest, version, at: NOW };
}

function withVersions(desired: DesiredState, versions: typeof VERSIONS): DesiredState {
  const models = new Map([...desired.models].map(([name, model]) => [name, { ...model, versions }]));
  return { ...desired, models };
}
