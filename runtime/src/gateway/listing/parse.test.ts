import { describe, expect, test } from 'vitest';
import { parseListing } from './parse.ts';

const runtime = (more: object): string =>
  JSON.stringify({ runtimes: [{ url: 'http://10.0.0.5:4181', environment: 'prod', ...more }] });

describe('the list of runtimes', () => {
  test('names runtimes by address and by name', () => {
    const text = JSON.stringify({
      runtimes: [
        { url: 'http://[::1]:4181', environment: 'prod' },
        { dns: 'runtimes.models.svc', port: 4181, environment: 'dev' },
      ],
      hosts: { 'Prod.test': 'prod' },
    });

    expect(parseListing(text)).toEqual({
      entries: [
        { kind: 'one', environment: 'prod', host: '::1', port: 4181 },
        { kind: 'name', environment: 'dev', name: 'runtimes.models.svc', port: 4181 },
      ],
      hosts: new Map([['prod.test', 'prod']]),
    });
  });

  test.each([
    ['no JSON', '{', /no JSON/],
    ['no object', '[]', /must be an object/],
    ['no list', '{"runtimes": {}}', /must be a list/],
    ['an unknown field', '{"runtimes": [], "runtime": []}', /"runtime"/],
    ['an unknown field of a runtime', runtime({ weight: 1 }), /runtimes\[0\] has "weight"/],
    ['an environment that is no name', runtime({ environment: 'Prod!' }), /runtimes\[0\]\.environment/],
    ['an environment that is a protocol', runtime({ environment: 'v2' }), /"v2"/],
    ['a url with a path', runtime({ url: 'http://a:1/x' }), /runtimes\[0\]\.url/],
    ['a url with a password', runtime({ url: 'http://a:b@c:1' }), /runtimes\[0\]\.url/],
    ['another scheme', runtime({ url: 'https://a' }), /runtimes\[0\]\.url/],
    ['both ways to say where', runtime({ dns: 'a', port: 1 }), /not both/],
    ['a name without a port', '{"runtimes": [{"dns": "a", "environment": "prod"}]}', /port/],
    ['a host of an environment that nobody runs', '{"runtimes": [], "hosts": {"a": "prod"}}', /hosts\["a"\]/],
    [
      'one runtime twice',
      JSON.stringify({ runtimes: [1, 2].map(() => ({ url: 'http://a:1', environment: 'prod' })) }),
      /stands twice/,
    ],
  ])('is refused with %s', (_, text, why) => {
    expect(() => parseListing(text)).toThrow(why);
  });
});
