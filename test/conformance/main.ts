import { readFileSync } from 'node:fs';
import { conform, type Verdict, verdictOn } from './conformance.ts';
import { type Options, readOptions, USAGE } from './options.ts';
import { countsOf, section, table } from './report.ts';
import { identifiesCaller, serverAt } from './server.ts';
import { learn, type Subject } from './subject.ts';
import { type InferRequest, isObject } from './v2.ts';

const options = orExit(() => readOptions(process.argv.slice(2)), `usage: ${USAGE}`);
const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort());

const EXIT_CODES: Readonly<Record<Verdict['kind'], number>> = {
  conformant: 0,
  'not conformant': 1,
  'nothing inferred': 2,
};

try {
  process.exitCode = EXIT_CODES[(await check(options)).kind];
} catch (error) {
  const why = error instanceof Error ? error.message : String(error);
  process.stderr.write(`${stopping.signal.aborted ? 'stopped' : why}\n`);
  process.exitCode = 2;
}

/** Prints what is found of the server, and the verdict. */
async function check({ isJson, ...given }: Options): Promise<Verdict> {
  const subject = await subjectOf(given);
  const print = (text: string): void => void process.stdout.write(`${text}\n`);
  const findings = await conform(subject, group => {
    if (!isJson) print(section(group));
  });
  const verdict = verdictOn(findings, subject);
  const { model, version } = subject;
  if (isJson) {
    const ok = verdict.kind === 'conformant';
    const why = verdict.kind === 'nothing inferred' ? { why: inWords(verdict) } : {};
    print(JSON.stringify({ ok, ...why, url: given.url, model, version, ...countsOf(findings), findings }));
  } else {
    const asked = `${given.url}, model ${model}${version === null ? '' : `, version ${version}`}`;
    print(`\n${table(findings)}\n\n${asked}: ${inWords(verdict)}`);
  }
  return verdict;
}

function inWords(verdict: Verdict): string {
  switch (verdict.kind) {
    case 'conformant':
      return 'does all that the specification asks for';
    case 'not conformant':
      return 'does not do all that the specification asks for';
    case 'nothing inferred':
      return `nothing was inferred: ${verdict.why}`;
  }
}

function subjectOf({
  url,
  headers,
  keyFile,
  requestFile,
  ...rest
}: Omit<Options, 'isJson'>): Promise<Subject> {
  const key = keyFile === null ? {} : { authorization: `Bearer ${read(keyFile).trim()}` };
  const sent = { ...headers, ...key };
  const server = serverAt({ url, headers: sent, signal: stopping.signal });
  const request = requestFile === null ? null : requestIn(requestFile);
  return learn({ server, ...rest, request, isKeyed: Object.keys(sent).some(identifiesCaller) });
}

function requestIn(path: string): InferRequest {
  const json: unknown = JSON.parse(read(path));
  const inputs = isObject(json) ? json['inputs'] : undefined;
  if (Array.isArray(inputs) && inputs.length > 0) return json as unknown as InferRequest;
  throw new Error('--request: must be a V2 request in JSON, with at least one input');
}

function read(path: string): string {
  return readFileSync(path, 'utf8');
}

function orExit<Made>(make: () => Made, usage: string): Made {
  try {
    return make();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${usage}\n`);
    process.exit(2);
  }
}
