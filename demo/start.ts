import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { replay } from '../bench/replay/replay.ts';
import { openPlace, type Place, servicesOf } from './place.ts';
import { welcome } from './welcome.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const PER_SECOND = 24;
const BUSIEST = 'screening';
const OF_OTHERS = 3;

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
  process.stdout.write(summaryOf(place));
  await Promise.race([new Promise(resolve => stop.signal.addEventListener('abort', resolve)), place.exited]);
  stop.abort();
  process.stderr.write('Stopping …\n');
  await Promise.all(traffic);
}

/** 24 requests a second into each environment; most for the model that the summary's commands are about. */
function startTraffic(place: Place, signal: AbortSignal): Promise<void>[] {
  const replayed = servicesOf(place, () => OF_OTHERS);
  return replayed.map(service => {
    const others = replayed.filter(
      ({ environment, model }) => environment === service.environment && model !== BUSIEST,
    );
    const perSecond = service.model === BUSIEST ? PER_SECOND - OF_OTHERS * others.length : OF_OTHERS;
    return replay({ ...service, perSecond }, () => {}, signal);
  });
}

function summaryOf(place: Place): string {
  const asked = servicesOf(place, () => 1).find(
    ({ environment, model }) => environment === 'prod' && model === BUSIEST,
  );
  const [row] = asked?.rows ?? [];
  return welcome({
    environments: place.environments,
    controller: place.address,
    remoteUrl: place.remoteUrl,
    perSecond: values['no-traffic'] ? null : PER_SECOND,
    example: asked && row ? { input: asked.input, row } : null,
    directory: resolve(place.state),
    root,
  });
}
