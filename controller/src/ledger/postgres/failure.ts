import { messageOf } from '../../error.ts';
import type { Address } from './address.ts';

/** What went wrong with the server, in words; `isPassing` where the same may go well a moment later. */
export interface Failure {
  what: string;
  remedy: string;
  isPassing: boolean;
}

interface Place {
  address: Address;
  schema: string;
}

type Explain = (place: Place) => readonly [what: string, remedy: string];

const UNREACHED: Explain = () => [
  'nothing answers there',
  'start the server, or correct host and port of the address',
];
const TLS: Explain = () => [
  'its certificate is not trusted',
  'name the certificate that signed it by sslrootcert=<file> in the address, or give up proof of who answers by sslmode=require',
];
const ENDED: Explain = () => ['the server ended the connection', 'see whether it is being restarted'];

/** By the codes of Node and of PostgreSQL (its appendix A). */
const PASSING: Record<string, Explain> = {
  ECONNREFUSED: UNREACHED,
  ENOENT: UNREACHED,
  ETIMEDOUT: UNREACHED,
  EHOSTUNREACH: UNREACHED,
  ENETUNREACH: UNREACHED,
  ENOTFOUND: () => ['its name is known to nobody', 'correct the host of the address, or look after the DNS'],
  EAI_AGAIN: () => ['its name can not be looked up now', 'look after the DNS'],
  ECONNRESET: ENDED,
  EPIPE: ENDED,
  '57P01': ENDED,
  '57P02': ENDED,
  '57P03': () => ['the server is starting or stopping', 'wait for it'],
  '25P03': () => [
    'the server gave up waiting for the rest of a transaction',
    'see whether machine or network are overloaded',
  ],
  '53300': () => [
    'the server has no connection left',
    'raise max_connections there, or end other programs; a controller needs two',
  ],
  '55P03': () => [
    'another session holds the row of the lease for too long',
    'see in pg_stat_activity who does',
  ],
  '40001': () => ['it met another transaction', 'nothing needs to be done'],
  '40P01': () => ['it met another transaction', 'nothing needs to be done'],
};

const LASTING: Record<string, Explain> = {
  '28P01': ({ address }) => [
    `the password of ${address.user} was refused`,
    'put the right one into the file with the address',
  ],
  '3D000': ({ address }) => [
    `there is no database ${address.database}`,
    `create it: createdb --encoding UTF8 ${address.database}`,
  ],
  '42501': ({ address, schema }) => [
    `${address.user} lacks a right`,
    `as the owner of the database run: CREATE SCHEMA ${schema} AUTHORIZATION "${address.user}"`,
  ],
  '25006': () => [
    'that server only reads: it is a replica, or was told to',
    'name the primary in the address',
  ],
  '53100': () => ['the disk of the server is full', 'make room there'],
  '57014': () => [
    'a statement took too long and was given up',
    'see in pg_stat_activity what keeps the server busy',
  ],
  '22021': () => [
    'a character can not be written there',
    'look for a NUL in the text of a name; PostgreSQL keeps none',
  ],
  '42P01': changedByHand,
  '42703': changedByHand,
  '42883': changedByHand,
  '3F000': changedByHand,
  DEPTH_ZERO_SELF_SIGNED_CERT: TLS,
  SELF_SIGNED_CERT_IN_CHAIN: TLS,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: TLS,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: TLS,
  CERT_HAS_EXPIRED: () => ['its certificate has expired', 'renew it'],
  ERR_TLS_CERT_ALTNAME_INVALID: () => [
    'its certificate is of another host',
    'name the host in the address as the certificate does',
  ],
};

export function failureOf(error: unknown, place: Place): Failure {
  const code = String((error as { code?: unknown } | null)?.code ?? '');
  const explain = PASSING[code] ?? LASTING[code] ?? byWords(messageOf(error), code);
  const [what, remedy] = explain(place);
  return { what, remedy, isPassing: code in PASSING || explain === ENDED };
}

/** Where the code alone does not tell. */
function byWords(words: string, code: string): Explain {
  if (code === '28000') return notLetIn(words);
  if (words.includes('does not support SSL'))
    return () => [
      'the server has no TLS',
      'turn it on there, or say sslmode=disable in the address where nobody else is on the line',
    ];
  if (/^Connection terminated|^timeout expired|SSL connection|connection error/.test(words)) return ENDED;
  if (words.includes('must be a non-empty string') || words.includes('password must be a string'))
    return ({ address }) => [
      `the server asks ${address.user} for a password`,
      'put it into the file with the address',
    ];
  return () => [words, 'the log of the server tells more'];
}

function notLetIn(words: string): Explain {
  if (/no encryption|SSL off/.test(words))
    return () => [
      'the server lets nobody in without TLS',
      'add ?sslmode=verify-full to the address, or sslmode=require',
    ];
  return ({ address }) => [
    `the server does not let ${address.user} in`,
    'see that the role exists, may log in, and is named in pg_hba.conf for this host and database',
  ];
}

function changedByHand({ schema }: Place): readonly [string, string] {
  return [
    `schema ${schema} is not as this version made it`,
    'see who changed it; dropped whole, it is made anew, and what git knows is found again',
  ];
}
