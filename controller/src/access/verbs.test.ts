import { describe, expect, test } from 'vitest';
import { may, TOKEN_KINDS, VERBS } from './verbs.ts';

describe('verbs', () => {
  test('every verb is granted to somebody, and none to both kinds of token unless to anybody', () => {
    for (const verb of VERBS) {
      const holders = TOKEN_KINDS.filter(kind => may(kind, verb));
      expect(holders.length, verb).toBe(may('anybody', verb) ? TOKEN_KINDS.length : 1);
    }
  });

  test('anybody may ask for health, metrics and the description, and for nothing else', () => {
    expect(VERBS.filter(verb => may('anybody', verb))).toEqual([
      'read-health',
      'read-metrics',
      'read-description',
    ]);
  });

  test('a runtime may pull, and can neither read the state of other environments nor change anything', () => {
    const granted = VERBS.filter(verb => may('runtime', verb) && !may('anybody', verb));

    expect(granted).toEqual(['pull-snapshot', 'pull-artifact']);
  });
});
