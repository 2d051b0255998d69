import { describe, expect, test } from 'vitest';
import { SwitchbackError } from '../../../error.ts';
import { messageOf, refusal } from '../tf-serving/protocol.fixture.ts';
import { findMlflow } from './index.ts';

const { protocol } = findMlflow('/invocations')!;

describe('addresses', () => {
  test.each([
    ['/invocations', null, null],
    ['/invocations/', null, null],
    ['/models/loan/invocations', 'loan', null],
    ['/models/loan/versions/1.2.0/invocations', 'loan', '1.2.0'],
  ])('%s is one', (path, model, version) => {
    expect(findMlflow(path)).toMatchObject({ model, version });
  });

  test.each(['/models/invocations', '/models/loan', '/models/team/loan/invocations', '/invocations/loan'])(
    '%s is none',
    path => {
      expect(findMlflow(path)).toBeNull();
    },
  );
});

describe('content types', () => {
  const decode = (type?: string) =>
    protocol.decode(messageOf('{"inputs":[1]}', type === undefined ? {} : { 'content-type': type }));

  test.each([
    'application/json',
    'Application/JSON',
    'application/json; charset=utf-8',
    'application/json;charset="UTF-8"',
  ])('%s is taken', type => {
    expect(() => decode(type)).not.toThrow();
  });

  test.each([
    undefined,
    '',
    'application/x-www-form-urlencoded',
    'application/jsonp',
    'application/json garbage',
    'application/json\tx',
    'application/json; charset=utf-16',
    'application/json; format=pandas-split',
    'application/json;',
    'text/csv; header=present',
  ])('%s is refused, and would share no answer with one that is taken', type => {
    expect(refusal(() => decode(type)).code).toBe('E_MEDIA_TYPE');
    expect(protocol.encoding(messageOf('', type === undefined ? {} : { 'content-type': type }))).toBe(
      'mlflow-none',
    );
  });

  test('one body in two of them has two answers', () => {
    const encoding = (type: string) => protocol.encoding(messageOf('', { 'content-type': type }));

    expect(encoding('application/json')).not.toBe(encoding('text/csv'));
  });
});

test.each([
  ['E_INPUT', 'BAD_REQUEST'],
  ['E_MODEL_UNKNOWN', 'RESOURCE_DOES_NOT_EXIST'],
  ['E_UNAUTHENTICATED', 'UNAUTHENTICATED'],
  ['E_OVERLOADED', 'REQUEST_LIMIT_EXCEEDED'],
  ['E_MODEL_NOT_READY', 'TEMPORARILY_UNAVAILABLE'],
  ['E_INTERNAL', 'INTERNAL_ERROR'],
] as const)('%s is told as %s, with our code and no stack trace', (code, theirs) => {
  const { body } = protocol.printError(new SwitchbackError(code, 'No.', { details: { row: 1 } }));

  expect(JSON.parse(String(body))).toEqual({ error_code: theirs, message: 'No.', code, details: { row: 1 } });
});
