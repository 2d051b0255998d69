import { request } from 'node:http';
import type { Clock } from '../../clock.ts';
import { PROBE } from '../limits.ts';
import type { Member } from './member.ts';

const READY_PATH = '/v2/health/ready';

/** Asks a runtime again and again whether it is ready, until the signal aborts. Never rejects. */
export async function probeMember(
  member: Member,
  clock: Clock,
  random: () => number,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const answer = await probe(member, clock, signal);
    if (signal.aborted) return;
    member.tell({ kind: 'probed', answer });
    // Not all gateways in step.
    await clock.sleep(PROBE.everyMs * (0.9 + random() / 5), signal);
  }
}

/** By a connection of its own: whoever takes none is no better than whoever does not answer. */
async function probe(
  { place: { host, port } }: Member,
  clock: Clock,
  signal: AbortSignal,
): Promise<'ready' | 'unready' | 'none'> {
  const asked = Promise.withResolvers<'ready' | 'unready' | 'none'>();
  const sent = request({ host, port, path: READY_PATH, agent: false }, response => {
    asked.resolve(response.statusCode === 200 ? 'ready' : 'unready');
    response.resume();
  });
  sent.on('error', () => asked.resolve('none'));
  sent.end();
  const ended = new AbortController();
  const late = clock
    .sleep(PROBE.withinMs, AbortSignal.any([ended.signal, signal]))
    .then((): 'none' => 'none');
  const answer = await Promise.race([asked.promise, late]);
  ended.abort();
  sent.destroy();
  return answer;
}
