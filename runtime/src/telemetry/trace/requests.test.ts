import { describe, expect, test } from 'vitest';
import { carrying, REVISION, served } from '../served.fixture.ts';
import type { Carrier, Served } from '../served.ts';
import { memorySpans } from './memory.ts';
import { RequestTraces } from './requests.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';
const sampled = carrying({ traceparent: `00-${TRACE}-${SPAN}-01` });

function make(share = 1, random = () => 0) {
  const sink = memorySpans();
  const traces = new RequestTraces({ sink, share, random, now: () => 1000 });
  const spansOf = (record: Partial<Served>, carrier: Carrier = sampled) => {
    const before = sink.spans.length;
    traces.served(served(record), carrier);
    return sink.spans.slice(before);
  };
  return { spansOf };
}

test('a request has a span under that of its caller, and one for each stage under its own', () => {
  const { spansOf } = make();

  const [root, ...stages] = spansOf({});

  expect(root).toMatchObject({
    traceId: TRACE,
    parentId: SPAN,
    name: 'infer',
    kind: 'server',
    startMs: 997,
    endMs: 1000,
    code: null,
    attributes: { 'switchback.model': 'fraud', 'switchback.version': '1', 'switchback.revision': REVISION },
  });
  expect(stages.map(({ name }) => name)).toEqual(['encode', 'run', 'queue', 'parse']);
  for (const stage of stages) expect(stage).toMatchObject({ traceId: TRACE, parentId: root?.spanId });
  expect(new Set([root, ...stages].map(span => span?.spanId)).size).toBe(5);
});

test('stages follow each other without a gap, up to the end of the request', () => {
  const { spansOf } = make();

  const [root, ...stages] = spansOf({});

  expect(stages[0]?.endMs).toBe(root?.endMs);
  for (const [index, { startMs }] of stages.slice(0, -1).entries())
    expect(stages[index + 1]?.endMs).toBe(startMs);
});

describe('recorded is', () => {
  const unsampled = carrying({ traceparent: `00-${TRACE}-${SPAN}-00` });
  test.each<[string, Carrier, number, number, boolean]>([
    ['what its caller records, whatever our share', sampled, 0, 0.9, true],
    ['nothing that its caller does not record, whatever our share', unsampled, 1, 0, false],
    ['what is picked, where the caller says nothing', carrying(), 0.5, 0.4, true],
    ['nothing else, where the caller says nothing', carrying(), 0.5, 0.5, false],
    ['what is picked, where the caller says nonsense', carrying({ traceparent: 'x' }), 0.5, 0.4, true],
  ])('%s', (_, carrier, share, random, isRecorded) => {
    const { spansOf } = make(share, () => random);

    expect(spansOf({}, carrier).length > 0).toBe(isRecorded);
  });
});

test('a request without a caller begins a trace of its own', () => {
  const { spansOf } = make();

  const [one] = spansOf({}, carrying());
  const [other] = spansOf({}, carrying());

  expect(one?.parentId).toBeNull();
  expect(one?.traceId).toMatch(/^[0-9a-f]{32}$/);
  expect(other?.traceId).not.toBe(one?.traceId);
});

test('those who shared a batch all point to its one span', () => {
  const { spansOf } = make();

  const first = spansOf({ batch: 7, batchRows: 2 });
  const second = spansOf({ batch: 7, batchRows: 2 });
  const third = spansOf({ batch: 8 });

  const batches = [...first, ...second, ...third].filter(({ name }) => name === 'batch');
  expect(batches).toHaveLength(2);
  const [seventh, eighth] = batches;
  const link = { traceId: seventh?.traceId, spanId: seventh?.spanId };
  expect(first[0]?.links).toEqual([link]);
  expect(second[0]?.links).toEqual([link]);
  expect(third[0]?.links).toEqual([{ traceId: eighth?.traceId, spanId: eighth?.spanId }]);
  expect(seventh).toMatchObject({ endMs: 1000 - 0.01, attributes: { 'switchback.batch_rows': 2 } });
  expect(eighth?.spanId).not.toBe(seventh?.spanId);
});

test('what failed says so, with our code, and where nothing is known of stages there are none', () => {
  const { spansOf } = make();
  const stages = { parseMs: 0, queueMs: 0, runMs: 0, encodeMs: 0 };

  const spans = spansOf({ code: 'E_MODEL_UNKNOWN', backend: null, stages });

  expect(spans).toMatchObject([{ name: 'infer', code: 'E_MODEL_UNKNOWN' }]);
});
