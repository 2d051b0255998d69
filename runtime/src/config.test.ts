import { expect, test } from 'vitest';
import { parseConfig } from './config.ts';
import { parseTelemetrySettings } from './telemetry/settings.ts';

const REQUIRED = {
  '--environment': 'prod',
  '--controller': 'http://127.0.0.1:4180/base/',
  '--state': 'state',
  '--token-file': 'token',
};
const args = (changes: Record<string, string> = {}) => Object.entries({ ...REQUIRED, ...changes }).flat();

test('settings have their defaults', () => {
  expect(parseConfig(args())).toEqual({
    cacheBytes: 64 * 2 ** 20,
    grpcPort: null,
    redisFile: null,
    telemetry: parseTelemetrySettings({}),
    environment: 'prod',
    controller: 'http://127.0.0.1:4180/base',
    stateDir: 'state',
    port: 0,
    host: '127.0.0.1',
    tokenFile: 'token',
  });
});

test.each([
  ['environment', { '--environment': 'Prod!' }],
  ['port', { '--port': '70000' }],
  ['port', { '--port': '1.5' }],
  ['controller', { '--controller': 'ftp://x' }],
  ['controller', { '--controller': 'http://user:pass@x' }],
  ['controller', { '--controller': 'nonsense' }],
  ['state', { '--state': '' }],
  ['share-port', { '--share-port': 'yes', '--port': '1' }],
  ['port', { '--share-port': 'at-once' }],
  ['grpc-port', { '--share-port': 'at-once', '--port': '1', '--grpc-port': '0' }],
  ['own-port', { '--own-port': 'any' }],
])('a wrong --%s is refused by name, its value untold', (option, changes) => {
  const parse = () => parseConfig(args(changes));

  expect(parse).toThrow(expect.objectContaining({ code: 'E_CONFIG', details: { option } }));
  expect(parse).not.toThrow(/pass@/);
});

test('an option that does not exist is refused', () => {
  expect(() => parseConfig([...args(), '--prot', '1'])).toThrow(expect.objectContaining({ code: 'E_USAGE' }));
});

test('a port is shared on Linux alone', () => {
  const given = args({ '--port': '4181', '--share-port': 'when-ready', '--own-port': '4191' });

  expect(parseConfig(given, {}, 'linux')).toMatchObject({ sharePort: 'when-ready', ownPort: 4191 });
  expect(() => parseConfig(given, {}, 'darwin')).toThrow('needs Linux');
});

test('what engines may hold together is chosen on the spot unless it is stated', () => {
  expect(parseConfig(args())).not.toHaveProperty('engineMemoryBytes');
  expect(parseConfig(args({ '--engine-memory-mib': '1024' })).engineMemoryBytes).toBe(2 ** 30);
  expect(() => parseConfig(args({ '--engine-memory-mib': '0' }))).toThrow(
    expect.objectContaining({ code: 'E_CONFIG', details: { option: 'engine-memory-mib' } }),
  );
});
