import { parseArgs } from 'node:util';

export const USAGE =
  'conformance --url <url> [--model <name>] [--version <version>] [--key-file <path>] [--header <name: value>] [--request <path>] [--assume <extension>] [--json]\n' +
  '  --url       of a server that speaks the Open Inference Protocol, version 2\n' +
  '  --model     that is asked; may be left out where the server lists one alone\n' +
  '  --version   of the model; else the server chooses\n' +
  '  --key-file  of a key, sent as "Authorization: Bearer <key>"\n' +
  '  --header    sent with each request; may be given several times\n' +
  '  --request   a V2 request in JSON that the model answers, instead of one made from its metadata\n' +
  '  --assume    an extension that the server has and does not declare; may be given several times\n' +
  '  --json      one line for programs';

export interface Options {
  /** Without a slash at its end. */
  url: string;
  model: string | null;
  version: string | null;
  keyFile: string | null;
  headers: Readonly<Record<string, string>>;
  requestFile: string | null;
  assume: readonly string[];
  isJson: boolean;
}

/** Throws an Error with a sentence for whoever typed it. */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      url: { type: 'string' },
      model: { type: 'string' },
      version: { type: 'string' },
      'key-file': { type: 'string' },
      header: { type: 'string', multiple: true, default: [] },
      request: { type: 'string' },
      assume: { type: 'string', multiple: true, default: [] },
      json: { type: 'boolean', default: false },
    },
  });
  return {
    url: baseUrl(values.url),
    model: values.model ?? null,
    version: values.version ?? null,
    keyFile: values['key-file'] ?? null,
    headers: Object.fromEntries(values.header.map(header)),
    requestFile: values.request ?? null,
    assume: values.assume,
    isJson: values.json,
  };
}

function baseUrl(text = ''): string {
  const url = URL.parse(text);
  const isPlain = url !== null && /^https?:$/.test(url.protocol) && !url.username && !url.search && !url.hash;
  if (!isPlain) throw new Error(`--url: must be an http or https URL without credentials, not "${text}"`);
  return url.href.replace(/\/+$/, '');
}

function header(text: string): [string, string] {
  const match = /^([!#$%&'*+.^_`|~\w-]+):\s*(.*)$/.exec(text);
  if (match === null) throw new Error('--header: must be of the form "name: value"');
  return [match[1]!.toLowerCase(), match[2]!];
}
