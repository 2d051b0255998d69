import type { HostileInput, HostileInputs } from './entry.ts';

const DESIRED = 'controller/src/desired';

/** Committed into a world that serves; told with its place, and everything goes on being served. */
const met = (topic: string, what: string, ...tests: [string, ...string[]]): HostileInput => ({
  what,
  file: `${DESIRED}/hostile-${topic}.test.ts`,
  tests,
});

const parsed = (what: string, ...tests: [string, ...string[]]): HostileInput => ({
  what,
  file: `${DESIRED}/document.test.ts`,
  tests,
});

/** Files of the model repository. */
export const manifests: HostileInputs = {
  M01: met('files', 'an empty file, or one of comments', 'an empty file', 'nothing but comments'),
  M02: met(
    'files',
    'a byte-order mark and foreign line ends',
    'a byte-order mark and line ends of another system are no harm',
  ),
  M03: met('files', 'bytes of another encoding', 'bytes that are no UTF-8', 'UTF-16'),
  M04: met('files', 'control characters', 'a NUL', 'a bell'),
  M05: parsed('aliases that multiply', 'an alias that would be 387 million values, without making one'),
  M06: met('files', 'an anchor that holds itself', 'an anchor that holds itself'),
  M07: met('files', 'any anchor, alias or merge key', 'one anchor that nobody uses', 'a merge key'),
  M08: parsed('twenty thousand brackets', '%s before a parser sees them', 'twenty thousand brackets'),
  M09: parsed('forty thousand keys', '%s before a parser sees them', 'forty thousand keys'),
  M10: parsed('a text of five megabytes', '%s before a parser sees them', 'a text of five megabytes'),
  M11: met('files', 'a key twice', 'a key twice'),
  M12: met('files', 'two documents in one file', 'two documents'),
  M13: {
    what: 'a field that nobody knows',
    file: `${DESIRED}/manifests.test.ts`,
    tests: ['in %s is explained by what that place has: %j', 'is told beside every other one'],
  },
  M14: met(
    'versions',
    'versions and digests without quotes',
    'as %s is told to be quoted, as it is written',
    'nor a digest of %s',
  ),
  M15: met(
    'files',
    'whole numbers that a double does not keep',
    'a whole number beyond what a double holds',
    'a size beyond what a double holds',
  ),
  M16: met(
    'files',
    'tags of a language, or of nobody',
    'a function of JavaScript',
    'a tag that nobody knows',
  ),
  M17: parsed(
    'keys that name the prototype',
    'keys that name the prototype, of which no object has anything afterwards',
  ),
  M18: met(
    'names',
    'names that climb, hide, imitate or belong to devices',
    '%s is refused wherever it stands',
    'that climbs out in disguise',
    'with a backslash',
    'with a NUL',
    'with a dash in front',
    'with a dot at its end',
    'with a blank at its end',
    'of a device',
    'of three hundred letters',
    'with a letter that looks like another',
    'that turns the direction of text',
  ),
  M19: met(
    'names',
    'names that are one name to some',
    'of two versions that differ in case alone is told with both, and the first keeps it',
    'of a model that a second team claims goes to neither, so that nobody takes it over',
    'that differs in case alone is no second environment',
    'with a combining mark',
  ),
  M20: met(
    'files',
    'durations that are none',
    'a duration of nothing',
    'a duration below nothing',
    'a duration that ends with the universe',
    'a duration that is no number',
  ),
  M21: met(
    'settings',
    'weights that are none',
    '%s are refused',
    'below nothing',
    'of more than everything',
    'that fall',
  ),
  M22: met(
    'settings',
    'objectives that are never, or always, breached',
    'that nothing can keep',
    'that everything keeps',
    'about an output that is not there would be breached by every answer, so nothing is rolled out',
    'that no answer is slow enough to breach',
    'that no answer is fast enough to keep',
  ),
  M23: met('fields', 'a regular expression that never ends', '"%s" is no field of any kind, at any place'),
  M24: met(
    'references',
    'references to what is not there',
    '%s, and is not there, is told with what was meant',
    'a version',
    'a model to settings',
    'a model to a freeze',
    'a file beside a version',
  ),
  M25: met(
    'references',
    'promotions in a circle',
    'environments in a circle are named in its order, and what they serve is kept',
  ),
  M26: met(
    'references',
    'two manifests of one deployment',
    'one release by two files is followed by neither',
  ),
  M27: met(
    'references',
    'a manifest that is gone, or only unreadable',
    'undeploys if it was the release, and only then',
    'is not told by a release that can not be read: %j',
    'is not told by a newest version that can not be read: the one before does not come back',
    'is not told by a model whose only version can not be read',
    'is not told by an environment whose manifest is gone or can not be read',
  ),
  M28: met(
    'files',
    'manifests of a later time',
    'a manifest of a later time',
    'an environment of a later time',
    'settings of a later time',
    'a version of a later time',
  ),
  M29: {
    what: 'secrets',
    file: `${DESIRED}/secret.test.ts`,
    tests: [
      '%s is refused, told by its line, and shown nowhere',
      '%s is refused and shown nowhere',
      'in a comment',
      'in an escape',
    ],
  },
  M30: met(
    'fields',
    'markup, and escapes for the terminal',
    'markup in a text is kept as the text it is',
    'an escape for the terminal in a text is refused: %s',
  ),
  M31: met(
    'fields',
    'addresses that run something',
    'the one address of a manifest is no %s',
    '"%s" is no field of any kind, at any place',
  ),
  M32: {
    what: 'line breaks on their way into a commit message',
    file: 'controller/src/proposal/message.test.ts',
    tests: ['no trailer is forged, and none of ours is lost'],
  },
  M33: {
    what: 'ten thousand manifests',
    file: `${DESIRED}/many-manifests.test.ts`,
    tests: [
      'are read one by one with word of how far it is, and hold a few kilobytes each',
      'cost one reading when one of them is another',
      'that are all wrong are each told, and none stops another',
    ],
  },
};
