import { on } from 'node:events';
import { openGraph } from './graph.ts';
import type { RawModel, RawOrder } from './loop.ts';

/*
 * The child program: runs a graph again and again, rows from one buffer, for as long as it is told, and says how many
 * rows a second that made.
 */
process.once('disconnect', () => process.exit(0));

const messages = on(process, 'message');
const [{ path, inputShape, rows }] = (await messages.next()).value as [RawModel];
const graph = await openGraph(path, inputShape);
for await (const [order] of messages) process.send?.(await measure(order as RawOrder));

async function measure({ batch, forMs }: RawOrder): Promise<number> {
  const width = rows[0]!.length;
  const input = new Float32Array(batch * width);
  for (let row = 0; row < batch; row++) input.set(rows[row % rows.length]!, row * width);
  await graph.run(input, batch);
  const startedAt = performance.now();
  const until = startedAt + forMs;
  let done = 0;
  for (; performance.now() < until; done += batch) await graph.run(input, batch);
  return (done * 1000) / (performance.now() - startedAt);
}
