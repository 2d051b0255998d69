import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { replay } from '../bench/replay/replay.ts';
import { openPlace, type Place, servicesOf } from './place.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const PER_SECOND = 24;

const { values } = parseArgs({
  options: {
    'no-traffic': { type: 'boolean', default: false },
    directory: { type: 'string', default: join(root, '.switchback') },
  },
});
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort());

{
  await using place = await openPlace(values.directory, line => process.stderr.write(`${line}\n`));
  const traffic = values['no-traffic'] ? [] : startTraffic(place, stop.signal);
  process.stdout.write(welcome(place, values.directory));
  await Promise.race([new Promise(resolve => stop.signal.addEventListener('abort', resolve)), place.exited]);
  stop.abort();
  process.stderr.write('Stopping …\n');
  await Promise.all(traffic);
}

/** 24 requests a second into each environment; most for the model that the commands below are about. */
function startTraffic(place: Place, signal: AbortSignal): Promise<void>[] {
  const share = (environment: string, model: string): number => {
    const others = (place.environments.get(environment)?.models.length ?? 1) - 1;
    return model === 'screening' ? PER_SECOND - 3 * others : 3;
  };
  return servicesOf(place, share).map(service => replay(service, () => {}, signal));
}

function welcome(place: Place, directory: string): string {
  const here = (path: string): string => relative(process.cwd(), path) || '.';
  const prod = place.environments.get('prod');
  const rows = servicesOf(place, () => 1).find(
    ({ environment, model }) => environment === 'prod' && model === 'screening',
  );
  const row = rows?.rows[0]?.join(',') ?? '';
  const state = here(directory) === '.switchback' ? '' : ` --state ${here(directory)}`;
  const candidate = 'examples/candidates/better';
  return `
Switchback runs five models in three environments${values['no-traffic'] ? '' : `, with ${PER_SECOND} requests a second into each`}.

${[...place.environments].map(([name, { address }]) => `  ${name.padEnd(10)} ${address}`).join('\n')}
  controller ${place.address}
  repository ${place.remoteUrl}

Ask prod for a score:

  curl -s ${prod?.address}/v2/models/screening/infer -H 'authorization: Bearer ${prod?.key}' -H 'content-type: application/json' \\
    -d '{"inputs":[{"name":"features","datatype":"FP32","shape":[1,30],"data":[${row}]}]}'

In another terminal, let a better version go through, and look:

  npm run --silent switchback -- register ${candidate}/model.onnx --name screening --version 1.1.0 --samples ${candidate}/samples.csv --facts ${candidate}/facts.json${state}
  npm run --silent switchback -- status${state}
  npm run --silent switchback -- promote screening@1.1.0 prod${state} --reason "no need to wait"
  npm run --silent switchback -- rollback prod/screening${state} --reason "trying it"

Bad ones to try: examples/candidates/slow and nan; of the other models digits-train-mode and wine-logits. Ctrl-C ends everything; the next start goes on here.
`;
}
