import { memorySpans } from './memory.ts';
import { spanSinkContract } from './trace.contract.ts';

spanSinkContract('memory', async () => {
  const sink = memorySpans();
  return { sink, names: () => sink.spans.map(({ name }) => name) };
});
