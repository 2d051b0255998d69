import type { NamedFault, Proof } from './entry.ts';

const HEALING = 'runtime/src/healing.test.ts';
const RUNTIME = 'runtime/src/faults.test.ts';

const scenarios = (...names: readonly [string, ...string[]]): Proof => ({ scenarios: names });
const tests = (file: string, ...names: readonly [string, ...string[]]): Proof => ({ file, tests: names });

/** A kill right before and right after one deed of the controller. */
const around = (deed: string): Proof => scenarios(`kill before ${deed}`, `kill after ${deed}`);

/** The faults that one machine can have, and what shows that each is stood. */
export const faults: Readonly<Record<string, NamedFault>> = {
  F01: {
    what: 'killed while an operation is being remembered',
    proofs: [around('promotion.intended'), around('rollback.intended'), around('record.intended')],
  },
  F02: {
    what: 'killed around making a commit',
    proofs: [around('promotion.commit'), around('record.commit')],
  },
  F03: { what: 'killed around pushing it', proofs: [around('promotion.push'), around('record.push')] },
  F06: {
    what: 'killed while a promotion that has reached the branch is taken note of',
    proofs: [around('promotion.pushed'), around('promotion.done')],
  },
  F09: {
    what: 'killed around making a revert',
    proofs: [around('rollback.revert'), around('rollback.commit')],
  },
  F10: { what: 'killed around pushing it', proofs: [around('rollback.push'), around('rollback.pushed')] },
  F11: {
    what: 'killed while the end of something is being remembered',
    proofs: [around('rollback.done'), around('record.done'), around('cycle.remember')],
  },
  F12: {
    what: 'killed around taking and renewing the lease',
    proofs: [around('lease.acquire'), around('lease.renew')],
  },
  F14: {
    what: 'an engine killed with a request aboard',
    proofs: [
      scenarios('engine killed'),
      tests(HEALING, 'F14: that is killed with a request aboard costs nobody an answer'),
    ],
  },
  F15: {
    what: 'an engine that hangs in native code',
    proofs: [tests(HEALING, 'F15: that hangs again and again makes its revision shed requests')],
  },
  F16: {
    what: 'an engine that asks for all memory',
    proofs: [tests(HEALING, 'F16: whose graph asks for all memory fails that request alone')],
  },
  F17: {
    what: 'a version whose engines crash again and again',
    proofs: [tests(HEALING, 'F17: of a version that dies at each start leaves all traffic to stable')],
  },
  F18: {
    what: 'a front that is asked to stop',
    proofs: [scenarios('front asked to stop')],
  },
  F19: { what: 'a front killed', proofs: [scenarios('front killed')] },
  F20: {
    what: 'revisions swapped under load',
    proofs: [tests(HEALING, 'F20: serves through two hundred swaps under load without one failed request')],
  },
  F21: {
    what: 'settings that are broken',
    proofs: [
      tests(
        'runtime/src/serving.test.ts',
        'F21: a runtime that gets %s serves the last good one on',
        'F21: a route to artifacts that are not there is served by the last good one',
      ),
      tests('test/e2e/edits.test.ts', 'an unknown field in %s changes nothing that is served, and is named'),
    ],
  },
  F22: {
    what: 'a ledger that is away',
    proofs: [scenarios('ledger locked for 20 s')],
    left: 'PostgreSQL',
  },
  F28: {
    what: 'a ledger of a newer schema',
    proofs: [
      scenarios('ledger of a newer schema'),
      tests(
        'controller/src/ledger/sqlite/index.test.ts',
        'is refused when a newer version wrote it, and stays untouched',
      ),
    ],
  },
  F31: { what: 'the remote away', proofs: [scenarios('remote down for 20 s')] },
  F32: { what: 'the remote silent', proofs: [scenarios('remote black-holed for 20 s')] },
  F33: { what: 'a branch that moved on at every push', proofs: [scenarios('somebody faster at every push')] },
  F34: { what: 'a push whose reply is lost', proofs: [scenarios('reply to a push lost')] },
  F35: { what: 'a push that a hook refuses', proofs: [scenarios('push refused by a hook')] },
  F36: {
    what: 'history rewritten',
    proofs: [
      scenarios('history rewritten'),
      tests('controller/src/loop.test.ts', 'a rewritten history stops what would change git'),
    ],
  },
  F37: { what: 'a clone that is corrupt', proofs: [scenarios('clone corrupt')] },
  F45: { what: 'artifacts that are corrupt', proofs: [scenarios('artifacts corrupt in store and cache')] },
  F46: {
    what: 'killed while an artifact comes',
    proofs: [
      around('artifact.download'),
      tests(
        'controller/src/repository/lfs/store.crash.test.ts',
        'at any moment holds whole objects alone, and every one that it said it had',
      ),
    ],
  },
  F47: {
    what: 'a full disk',
    proofs: [
      scenarios('disk full'),
      tests(
        'controller/src/repository/lfs/store.full-disk.test.ts',
        'removes what it has of it, says so, serves what it has, and fetches again once there is room',
      ),
    ],
  },
  F48: {
    what: 'no descriptors left',
    proofs: [
      scenarios('no descriptors left', 'no descriptors left for a front'),
      tests(RUNTIME, 'F48: without descriptors left a runtime sheds what is new, and recovers'),
    ],
  },
  F49: {
    what: 'a clock that jumps',
    proofs: [
      tests(
        'controller/src/leadership.test.ts',
        'a lease that could not be renewed in time gives no epoch, even before another takes it',
      ),
      tests(
        'controller/src/verdict/slices.test.ts',
        'loses no event of the last hour, whatever the clock does',
      ),
      tests(
        'controller/src/repository/poller.hostile.test.ts',
        'orders by the graph, whatever the clocks said',
      ),
    ],
  },
  F50: { what: 'a runtime that says nothing', proofs: [scenarios('runtime stopped for 5 s')] },
  F56: { what: 'the loss of power', proofs: [scenarios('power loss')] },
  F57: {
    what: 'a blocked event loop',
    proofs: [
      tests(RUNTIME, 'F57: a blocked event loop is told while it lasts'),
      scenarios('controller hangs for good'),
    ],
  },
  F58: {
    what: 'a rejection that nobody awaits, an exception that nobody catches',
    proofs: [
      tests(
        RUNTIME,
        'F58: a rejection that nobody awaits is told and counted, and serving goes on',
        'F58: after an exception that nobody caught a runtime answers what it has and ends',
      ),
    ],
  },
};
