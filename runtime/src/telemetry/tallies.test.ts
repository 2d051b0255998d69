import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { steppedClock } from '../clock.fixture.ts';
import { backend, served } from './served.fixture.ts';
import { Tallies } from './tallies.ts';

function make(most = 10, models = ['fraud', 'wine']) {
  const clock = steppedClock();
  return { clock, tallies: new Tallies({ clock, most, isModel: model => models.includes(model) }) };
}

const requestsIn = (tallies: Tallies) =>
  [...tallies].map(({ model, version, requests }) => [
    `${model} ${version}`,
    Object.values(requests).reduce(
      (sum, outcomes) => sum + Object.values(outcomes).reduce((all, count) => all + count, 0),
      0,
    ),
  ]);

test('a request counts for the version that answered it', () => {
  const { tallies } = make();

  tallies.served(served({ backend: backend('1') }));
  tallies.served(served({ backend: backend('2'), code: 'E_ENGINE_DIED', attempts: 2 }));

  expect(requestsIn(tallies)).toEqual([
    ['fraud 1', 1],
    ['fraud 2', 1],
  ]);
  expect(tallies.find('fraud', '2')).toMatchObject({ retries: 1, rows: 0, failures: { count: 1, ms: 3 } });
});

test('a request that came to no version counts for its model, and for none if there is no such model', () => {
  const { tallies } = make();

  tallies.served(served({ model: 'wine', backend: null, code: 'E_MODEL_NOT_READY' }));
  tallies.served(served({ model: 'no-such', backend: null, code: 'E_MODEL_UNKNOWN' }));
  tallies.served(served({ model: 'another', backend: null, code: 'E_MODEL_UNKNOWN' }));

  expect(requestsIn(tallies)).toEqual([
    ['wine _none', 1],
    ['_unknown _none', 2],
  ]);
});

test('whatever is asked, there are no more series than allowed and the one for others, and none is lost', () => {
  const request = fc.record({
    model: fc.constantFrom('fraud', 'wine', 'x', 'y'),
    version: fc.constantFrom(null, '1', '2', '3', '4'),
  });
  fc.assert(
    fc.property(fc.array(request, { maxLength: 60 }), fc.integer({ min: 1, max: 6 }), (requests, most) => {
      const { tallies } = make(most);

      for (const { model, version } of requests)
        tallies.served(served({ model, backend: version === null ? null : backend(version) }));

      const counted = requestsIn(tallies);
      expect(counted.length).toBeLessThanOrEqual(most + 1);
      expect(counted.reduce((sum, [, count]) => sum + Number(count), 0)).toBe(requests.length);
      const folded = Number(counted.find(([name]) => name === '_other _other')?.[1] ?? 0);
      expect(tallies.folded).toBe(folded);
    }),
  );
});

describe('once every place is taken', () => {
  test('those without a request for long make room, and the newest of them keep theirs', async () => {
    const { tallies, clock } = make(2);
    tallies.served(served({ backend: backend('1') }));
    tallies.served(served({ backend: backend('2') }));
    await clock.advance(14 * 60_000);
    tallies.served(served({ backend: backend('2') }));
    await clock.advance(2 * 60_000);

    tallies.makeRoom();
    tallies.served(served({ backend: backend('3') }));

    expect(requestsIn(tallies)).toEqual([
      ['fraud 2', 2],
      ['fraud 3', 1],
    ]);
  });

  test('as long as there is room, nobody is forgotten', async () => {
    const { tallies, clock } = make(2);
    tallies.served(served());
    await clock.advance(60 * 60_000);

    tallies.makeRoom();

    expect(requestsIn(tallies)).toEqual([['fraud 1', 1]]);
  });
});
