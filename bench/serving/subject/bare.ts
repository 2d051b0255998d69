import { fileURLToPath } from 'node:url';
import type { Sample } from '../model/sample.ts';
import { type Encoding, HEAD_LENGTH, readV2, v2Request, v2Response } from '../v2.ts';
import { Child } from './child.ts';
import type { Ground, Subject, SubjectKind } from './subject.ts';

const PROGRAM = fileURLToPath(new URL('./bare-process.ts', import.meta.url));
const START_MS = 30_000;

/** What no server of models over these parts can be faster than: it answers the same bytes and infers nothing. */
export const BARE: readonly SubjectKind[] = [
  bare('fastify', 'Fastify that answers the same bytes as raw buffers, and infers nothing'),
  bare('node-http', 'node:http that answers the same bytes, and infers nothing'),
];

function bare(name: string, what: string): SubjectKind {
  const kind: SubjectKind = {
    name,
    role: 'bare',
    what,
    speaks: ['json', 'binary'],
    start: (sample, ground) => start(kind, sample, ground),
  };
  return kind;
}

async function start(kind: SubjectKind, sample: Sample, { signal }: Ground): Promise<Subject> {
  let address: string | null = null;
  const answers = (['json', 'binary'] as const).map(encoding => {
    const { headers, body } = v2Response(sample, sample.answers[0]!, encoding);
    return { encoding, headers, body: body.toString('base64') };
  });
  const child = await Child.start({
    program: process.execPath,
    args: [PROGRAM, kind.name],
    env: { BARE_ANSWERS: JSON.stringify(answers) },
    onLine: line => {
      address = line;
    },
  });
  try {
    const at = await child.until(async () => address, 'its address', { boundMs: START_MS, signal });
    return {
      kind,
      processes: () => ({ front: [child.pid], engine: [] }),
      dialect: encoding => ({
        url: `${at}/v2/models/${sample.model.name}/infer`,
        // Its answer is of the first row, whatever it is asked.
        messages: sample.rows.map(row => v2Request(sample, row, encoding)),
        read: (body, headers) => readV2(body, headers.get(HEAD_LENGTH)),
      }),
      [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
    };
  } catch (error) {
    await child[Symbol.asyncDispose]();
    throw error;
  }
}

export interface BareAnswer {
  encoding: Encoding;
  headers: Readonly<Record<string, string>>;
  /** In base64. */
  body: string;
}
