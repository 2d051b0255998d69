import { expect, onTestFinished, test } from 'vitest';
import { silentLog } from '../../log.ts';
import { Fleet } from './fleet.ts';

const INFER = '/v2/models/ratio/infer';

/** With one environment, of one runtime that nobody asks. */
function fleetOfOne(): Fleet {
  const fleet = new Fleet({
    mostConnections: 1,
    elapsed: () => 0,
    random: () => 0,
    log: silentLog,
    probe: async () => {},
  });
  onTestFinished(() => fleet[Symbol.asyncDispose]());
  fleet.apply({ places: [{ environment: 'test', host: '127.0.0.1', port: 1 }], hosts: new Map() });
  return fleet;
}

test('that a model is served is known of it, whatever query or environment stands in the address', () => {
  const fleet = fleetOfOne();
  fleet.route(INFER, 'a')!.demand.isServed = true;

  const others = [`${INFER}?a=b`, `/test${INFER}`, '/v1/models/ratio:predict', '/v2/models/other/infer'];

  expect(others.map(url => fleet.route(url, 'a')!.demand.isServed)).toEqual([true, true, true, false]);
});

test('what is no inference is known by its path alone', () => {
  const fleet = fleetOfOne();
  fleet.route('/v2/models/ratio/ready', 'a')!.demand.isServed = true;

  const others = ['/v2/models/ratio/ready?a=b', '/test/v2/models/ratio/ready', '/v2/models/other/ready'];

  expect(others.map(url => fleet.route(url, 'a')!.demand.isServed)).toEqual([true, true, false]);
});

test('thousands of other addresses make nothing forgotten that is served', () => {
  const fleet = fleetOfOne();
  fleet.route(INFER, 'a')!.demand.isServed = true;

  for (let index = 0; index < 10_000; index++) {
    fleet.route(`${INFER}?${index}`, 'a');
    fleet.route(`/v2/models/no-such-${index}/infer`, 'a');
  }

  expect(fleet.route(INFER, 'a')!.demand.isServed).toBe(true);
});

test('an address is read once, unless it is long', () => {
  const fleet = fleetOfOne();
  const long = `${INFER}?${'x'.repeat(1000)}`;

  expect(fleet.route(INFER, 'a')).toBe(fleet.route(INFER, 'a'));
  expect(fleet.route(long, 'a')).toMatchObject({ path: long });
  expect(fleet.route(long, 'a')).not.toBe(fleet.route(long, 'a'));
});
