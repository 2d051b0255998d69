import { expect, test } from 'vitest';
import { parseGatewayArguments } from './options.ts';

test('the command line says where the list is, and the rest has defaults', () => {
  expect(parseGatewayArguments(['--runtimes', 'a.json'])).toEqual({
    runtimesFile: 'a.json',
    host: '127.0.0.1',
    port: 4180,
    mostConnections: 256,
  });
});

test.each([
  ['no list', [], /--runtimes is required/],
  ['a port that is none', ['--runtimes', 'a', '--port', '70000'], /--port must be a number/],
  ['no connections', ['--runtimes', 'a', '--connections', '0'], /--connections must be a number/],
  ['an option that is unknown', ['--runtime', 'a'], /does not know this option/],
])('the command line is refused with %s', (_, args, why) => {
  expect(() => parseGatewayArguments(args)).toThrow(why);
});
