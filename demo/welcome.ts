import { relative } from 'node:path';

/** What a newcomer is told of a place that has just begun to serve. */
export interface WelcomeFacts {
  /** By name; `keyFile` is absolute and holds the inference key. */
  environments: ReadonlyMap<string, { address: string; keyFile: string; models: readonly string[] }>;
  /** Of the management API. */
  controller: string;
  remoteUrl: string;
  /** Requests a second into each environment; null: none are sent. */
  perSecond: number | null;
  /** What `screening` takes in prod: its one input, and a row for it. Null: prod does not serve it. */
  example: { input: string; row: readonly number[] } | null;
  /** State directory, absolute. */
  directory: string;
  /** Top of the checkout, absolute: npm runs the commands there, wherever they are typed below it. */
  root: string;
}

const VERB = 'npm run --silent switchback --';

/** The summary of `npm start`: where everything is, and what to try first. */
export function welcome(facts: WelcomeFacts): string {
  return `\n${[places(facts), asking(facts), trying(facts)].flat().join('\n\n')}\n`;
}

function places({ environments, controller, remoteUrl, perSecond }: WelcomeFacts): string[] {
  const models = new Set([...environments.values()].flatMap(each => each.models));
  const traffic =
    perSecond === null
      ? 'No requests are sent into them, and a version that nobody asks goes no further than dev.'
      : `Each gets ${perSecond} requests a second, so that there is something to see.`;
  const addresses = [
    ...[...environments].map(([name, { address }]) => [name, address] as const),
    ['controller', controller] as const,
    ['repository', remoteUrl] as const,
  ];
  return [
    `Switchback serves ${counted(models.size, 'model')} in ${counted(environments.size, 'environment')}. ${traffic}`,
    addresses.map(([name, address]) => `  ${name.padEnd(12)}${address}`).join('\n'),
  ];
}

function asking({ environments, example }: WelcomeFacts): string[] {
  const prod = environments.get('prod');
  if (prod === undefined) return [];
  const { address, keyFile } = prod;
  const page = `Read and try the API of every model in prod: open ${address}/docs/ in a browser, and give it the key in ${keyFile}`;
  if (example === null) return [page];
  const { input, row } = example;
  const body = { inputs: [{ name: input, datatype: 'FP32', shape: [1, row.length], data: row }] };
  return [
    page,
    'Or ask prod for a score:',
    [
      `  curl -s ${address}/v2/models/screening/infer \\`,
      `    -H "Authorization: Bearer $(cat ${quoted(keyFile)})" -H 'Content-Type: application/json' \\`,
      `    -d ${quoted(JSON.stringify(body))}`,
    ].join('\n'),
  ];
}

function trying({ directory, root }: WelcomeFacts): string[] {
  const below = relative(root, directory);
  const folder = below.startsWith('..') ? directory : below;
  const state = folder === '.switchback' ? '' : ` --state ${quoted(folder)}`;
  const candidate = 'examples/candidates/better';
  return [
    'In another terminal, in this folder. A better version, which goes to dev, staging and prod by itself:',
    [
      `  ${VERB} register ${candidate}/model.onnx --name screening --version 1.1.0 \\`,
      `    --samples ${candidate}/samples.csv --facts ${candidate}/facts.json${state}`,
    ].join('\n'),
    'What runs where, and what is waited for:',
    `  ${VERB} status${state}`,
    'Into prod before it comes there by itself, and out of prod again:',
    [
      `  ${VERB} promote screening@1.1.0 prod${state} --reason "no need to wait"`,
      `  ${VERB} rollback prod/screening${state} --reason "trying it"`,
    ].join('\n'),
    [
      'A bad one, to see it leave prod by itself: register as above from examples/candidates/nan or slow, as --version 1.2.0.',
      'Ctrl-C ends everything; the next start goes on here.',
    ].join('\n'),
  ];
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

/** As one word of a shell; what needs no quotes gets none. */
function quoted(text: string): string {
  return /^[-+.,:/@\w]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
