import {
  parseAnything,
  parseDeployedVersion,
  parseDeployment,
  parseNewModel,
} from '../../../controller/src/command/address.ts';
import { parseSince } from '../../../controller/src/command/time.ts';
import { operationId } from '../../../controller/src/proposal/intent.ts';
import { recordMessage, trailer } from '../../../controller/src/proposal/message.ts';
import { settledFrom } from '../../../controller/src/proposal/records.ts';
import { parseCgiHead } from '../../../controller/src/remote/cgi.ts';
import { readRefs } from '../../../controller/src/repository/git-cli/ls-refs.ts';
import { parseChanges, parseHistory } from '../../../controller/src/repository/git-cli/raw.ts';
import { remoteFailure } from '../../../controller/src/repository/git-cli/remote-failure.ts';
import { oneLine, plainText } from '../../../controller/src/repository/git-cli/words.ts';
import { qualifiedRef } from '../../../controller/src/repository/ref.ts';
import { parseRemoteUrl } from '../../../controller/src/repository/remote-url.ts';
import { settledOf, specOf } from '../../../controller/src/rollout/rollout.fixture.ts';
import type { Target } from '../target.ts';

const SHA = 'a'.repeat(40);

/** What git prints, and what a remote answers. */
export const gitOutput: Target = {
  read: bytes => {
    const [, ...rest] = bytes;
    const content = Buffer.from(rest);
    const text = content.toString('utf8');
    const readers = [
      () => parseChanges(content),
      () => parseHistory(content),
      () => readRefs(text, 'refs/heads/main'),
      () => remoteFailure(text),
      () => oneLine(plainText(text, ['secret'])),
      () => parseCgiHead(content),
    ];
    readers[(bytes[0] ?? 0) % readers.length]?.();
  },
  examples: [
    `\0:100644 100644 ${SHA} ${SHA} M\0models/fraud/model.yaml\0`,
    `\u0001${SHA}\0${SHA}\x001760000000\0mei\0subject\0body\n\0\0\n:100644 000000 ${SHA} ${'0'.repeat(40)} D\0a.yaml\0`,
    `\u00020032${SHA} refs/heads/main\n0000`,
    "\u0003fatal: unable to access 'https://example.org/': Could not resolve host\n",
    '\u0004remote: error: secret \u001b[31mred\u001b[0m\r\n',
    '\u0005Status: 200 OK\r\nContent-Type: text/plain\r\n\r\nbody',
  ],
  words: [
    '\0',
    ':100644 ',
    '160000',
    '120000',
    SHA,
    'refs/heads/',
    '0000',
    'fatal: ',
    'remote: ',
    '\r\n\r\n',
    'Status: ',
  ],
  caught: ['ZodError'],
};

/** What a person types: addresses, refs, urls, times. */
export const words: Target = {
  read: bytes => {
    const text = bytes.subarray(1).toString('utf8');
    const readers = [
      () => parseAnything(text),
      () => parseDeployment(text),
      () => parseDeployedVersion(text),
      () => parseNewModel(text),
      () => qualifiedRef(text),
      () => parseRemoteUrl(text, { allowFile: false }),
      () => parseRemoteUrl(text, { allowFile: true }),
      () => parseSince(text, 1_760_000_000_000),
    ];
    readers[(bytes[0] ?? 0) % readers.length]?.();
  },
  examples: [
    '\0prod/fraud@1.3.0',
    '\u0001prod/fraud',
    '\u0002prod/fraud@1.3.0',
    '\u0003payments/fraud',
    '\u0004refs/heads/main',
    '\u0005https://example.org/models.git',
    '\u0005git@example.org:a/b.git',
    '\u0006/srv/models.git',
    '\u0007yesterday 14:00',
    '\u00072h ago',
    '\u00072026-11-23T14:00:00Z',
  ],
  words: [
    '/',
    '@',
    ':',
    '..',
    '-',
    '--upload-pack=',
    'ext::',
    'file://',
    'ssh://',
    'https://',
    '%2e',
    '%0a',
    '@{u}',
    'Z',
    '+01:00',
  ],
};

const record = { kind: 'record' as const, settled: settledOf('baked', specOf('1.3.0')) };

/** Bodies of commits that anybody may have written. */
export const commitBody: Target = {
  read: bytes => {
    const text = bytes.toString('utf8');
    settledFrom(text);
    trailer(text, 'Operation');
  },
  examples: [recordMessage(record, { operation: operationId(record), epoch: 1 })],
  words: [
    'record: {',
    'Switchback-Operation: ',
    '\n\n',
    '"outcome":"baked"',
    '"trail":[',
    '"revision":{',
    'null',
  ],
};
