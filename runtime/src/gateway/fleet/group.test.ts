import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Group } from './group.ts';
import { Member } from './member.ts';

interface GroupFixture {
  group: Group;
  members: Member[];
  pass(ms: number): void;
}

/** Runtimes that nobody connects to, all ready. */
function groupOf(count: number): GroupFixture {
  let now = 0;
  const group = new Group('test', () => 0);
  const members = Array.from(
    { length: count },
    (_, index) =>
      new Member({
        place: { environment: 'test', host: '127.0.0.1', port: index + 1 },
        mostConnections: 2,
        elapsed: () => now,
        mayEject: (member, isCertain) => group.mayEject(member, isCertain),
        onStanding: () => group.restand(),
        onRoom: () => group.serve(),
      }),
  );
  group.replace(members);
  for (const member of members) member.tell({ kind: 'probed', answer: 'ready' });
  return { group, members, pass: ms => (now += ms) };
}

const failing = (member: Member): void => {
  for (let times = 0; times < 5; times++) member.tell({ kind: 'failed' });
};

test('half of the runtimes stay in, whatever they do to requests', () => {
  const { members } = groupOf(4);

  for (const member of members) failing(member);

  expect(members.map(({ standing }) => standing)).toEqual(['ejected', 'ejected', 'ready', 'ready']);
});

test('where nobody is there any more, one that answers is enough', () => {
  const { group, members } = groupOf(4);

  for (const member of members) member.tell({ kind: 'refused' });

  expect(members.map(({ standing }) => standing)).toEqual(['ejected', 'ejected', 'ejected', 'ready']);
  expect(group.choose(null, 0, null)).toBe(members[3]);
});

test('who is not ready is asked only when nobody is, and who is silent only when nobody else is there', () => {
  const { group, members } = groupOf(2);
  const [one, other] = members as [Member, Member];

  one.tell({ kind: 'probed', answer: 'unready' });
  expect(group.choose(null, 0, null)).toBe(other);
  for (let times = 0; times < 2; times++) other.tell({ kind: 'probed', answer: 'none' });
  expect(group.choose(null, 0, null)).toBe(one);
  for (let times = 0; times < 2; times++) one.tell({ kind: 'probed', answer: 'none' });
  expect(members).toContain(group.choose(null, 0, null));
  expect(group.isAnswering).toBe(false);
});

test('a runtime that was put out comes back with time alone', () => {
  const { group, members, pass } = groupOf(2);
  members[0]!.tell({ kind: 'refused' });

  pass(1000);
  members[0]!.sweep(1000);

  expect(members[0]!.standing).toBe('ready');
  expect(group.choose(null, 1000, members[1]!)).toBe(members[0]);
});

test('a model is asked elsewhere where it was not ready, and there too when it is ready nowhere', () => {
  const { group, members } = groupOf(2);
  members[0]!.lacks('a', 0);

  expect(group.choose('a', 0, null)).toBe(members[1]);
  expect(group.choose('b', 0, null)).toBe(members[0]);
  expect(group.choose('a', 1000, null)).toBe(members[0]);
  members[1]!.lacks('a', 0);
  expect(members).toContain(group.choose('a', 0, null));
});

test('what waits is served in its turn, once each, as soon as there is room or nobody left', () => {
  const { group, members } = groupOf(1);
  const served: number[] = [];
  const waits = (id: number, isOver = false) => group.wait({ isOver, attempt: () => void served.push(id) });
  members[0]!.begin();
  members[0]!.begin();
  expect(group.choose(null, 0, null)).toBe('full');
  for (const id of [1, 2, 3]) waits(id, id === 2);

  members[0]!.end();
  expect(served).toEqual([1]);
  group.replace([]);

  expect(served).toEqual([1, 3]);
  expect(group.choose(null, 0, null)).toBe('none');
});

test('no more wait than may', () => {
  const { group } = groupOf(1);
  const waiting = { isOver: false, attempt: () => {} };

  const taken = Array.from({ length: 1100 }, () => group.wait(waiting)).filter(Boolean);

  expect(taken).toHaveLength(1024);
});

test('nobody is given more than the bound, and nobody is passed over who has room', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), fc.array(fc.boolean(), { maxLength: 60 }), (count, steps) => {
      const { group, members } = groupOf(count);
      for (const isRequest of steps) {
        const busy = members.find(({ outstanding }) => outstanding > 0);
        if (!isRequest) {
          busy?.end();
          continue;
        }
        const chosen = group.choose(null, 0, null);
        expect(chosen === 'full').toBe(members.every(({ outstanding }) => outstanding === 2));
        if (typeof chosen !== 'string') chosen.begin();
      }
      for (const { outstanding } of members) expect(outstanding).toBeLessThanOrEqual(2);
    }),
  );
});

test('each that is not sent again is counted as spared, also one that would have looked for what is unknown', () => {
  const { group } = groupOf(2);

  const sent = Array.from({ length: 100 }, () => group.mayRetry(0, true)).filter(Boolean).length;

  expect(sent).toBeGreaterThan(0);
  expect([group.tally.retries, group.tally.retriesSpared]).toEqual([sent, 100 - sent]);
});
