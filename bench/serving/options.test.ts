import { describe, expect, test } from 'vitest';
import { readOptions, SUBJECTS } from './options.ts';
import { BARE } from './subject/bare.ts';
import { OURS } from './subject/ours.ts';
import { PEERS } from './subject/peers.ts';

const read = (...args: string[]) => readOptions(args, '/repository')!;

describe('readOptions', () => {
  test('measures everything and writes the documents unless it is told otherwise', () => {
    const options = read();

    expect(options.models).toHaveLength(5);
    expect(options.subjects.has('mlserver')).toBe(true);
    expect([...options.scenarios]).toEqual([
      'raw',
      'stages',
      'swap',
      'kill',
      'push',
      'neighbours',
      'overload',
      'availability',
      'soak',
    ]);
    expect(options).toMatchObject({ forMs: 3000, rounds: 5, out: '/repository/docs', hasTables: true });
  });

  test('quick leaves out peers, most models, what takes long and the documents', () => {
    const options = read('--quick', '--json');

    expect(options).toMatchObject({ models: ['iris'], forMs: 2000, rounds: 3, out: null, isJson: true });
    expect([...options.subjects]).toEqual(['switchback', 'fastify', 'node-http']);
    expect([...options.scenarios]).toEqual([
      'raw',
      'stages',
      'swap',
      'kill',
      'push',
      'neighbours',
      'overload',
    ]);
  });

  test('only what is named: a scenario alone measures nothing side by side', () => {
    expect(read('--only', 'swap')).toMatchObject({ hasTables: false, scenarios: new Set(['swap']) });
    expect(read('--only', 'stages')).toMatchObject({ hasTables: false, scenarios: new Set(['stages']) });
    expect(read('--only', 'push')).toMatchObject({ hasTables: false, scenarios: new Set(['push']) });
    expect(read('--only', 'mlp,fastify')).toMatchObject({
      hasTables: true,
      models: ['mlp'],
      subjects: new Set(['fastify']),
      scenarios: new Set(),
    });
    expect(read('--only', 'cnn', '--only', 'kill')).toMatchObject({
      hasTables: true,
      models: ['cnn'],
      scenarios: new Set(['kill']),
    });
  });

  test('asks for help by giving nothing to run', () => {
    expect(readOptions(['--help'], '/repository')).toBeNull();
  });

  test.each([
    [['--only', 'nginx'], '--only: there is no "nginx"; there is iris'],
    [['--for', '500ms'], '--for: must be a duration of whole seconds'],
    [['--for', 'long'], '--for: must be a duration of whole seconds'],
    [['--rounds', '0'], '--rounds: must be a whole number from 1 to 100, not "0"'],
    [['--requests', '1.5'], '--requests: must be a whole number'],
  ])('refuses %j with a sentence', (args, sentence) => {
    expect(() => readOptions(args, '/repository')).toThrow(sentence);
  });

  test('refuses an option that it does not know', () => {
    expect(() => readOptions(['--fast'], '/repository')).toThrow('--fast');
  });
});

test('the names of subjects are those that can be started', () => {
  expect(SUBJECTS).toEqual([OURS, ...BARE, ...PEERS].map(({ name }) => name));
});
