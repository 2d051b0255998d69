import { describe, expect, test } from 'vitest';
import { backend, carrying, REVISION, served } from '../served.fixture.ts';
import type { Carrier, Served } from '../served.ts';
import { memorySpans } from './memory.ts';
import { RequestTraces } from './requests.ts';
import type { Span } from './trace.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';
const sampled = carrying({ traceparent: `00-${TRACE}-${SPAN}-01` });

function make(share = 1, random = () => 0) {
  const sink = memorySpans();
  const due: (() => void)[] = [];
  const soon = (flush: () => void) => void due.push(flush);
  const traces = new RequestTraces({ sink, share, random, now: () => 1000, soon });
  const during = (act: () => void): readonly Span[] => {
    const before = sink.spans.length;
    act();
    return sink.spans.slice(before);
  };
  const spansOf = (record: Partial<Served>, carrier: Carrier = sampled) =>
    during(() => traces.served(served(record), carrier));
  const endTurn = () =>
    during(() => {
      for (const flush of due.splice(0)) flush();
    });
  return { spansOf, endTurn, traces, sink };
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
  expect(stages.map(({ name }) => name)).toEqual(['encode', 'run', 'batch', 'queue', 'parse']);
  for (const stage of stages) expect(stage).toMatchObject({ traceId: TRACE, parentId: root?.spanId });
  expect(new Set([root, ...stages].map(span => span?.spanId)).size).toBe(6);
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

describe('a batch', () => {
  const runOf = (spans: readonly Span[]) => spans.find(({ name }) => name === 'run');
  const linkOf = ({ traceId, spanId }: Span) => ({ traceId, spanId });

  test('has one span, to which the runs of those who shared it point, and which points to all of them', () => {
    const { spansOf, endTurn } = make();
    const [shared, other] = [{}, {}];

    const requests = [{ batch: shared }, { batch: shared }, { batch: other }].map(more =>
      spansOf({ ...more, batchRows: 2 }),
    );
    const batches = endTurn();

    expect(batches.map(({ name, parentId }) => [name, parentId])).toEqual([
      ['engine batch', null],
      ['engine batch', null],
    ]);
    const [first, second] = batches as [Span, Span];
    expect(requests.map(spans => runOf(spans)?.links)).toEqual([
      [linkOf(first)],
      [linkOf(first)],
      [linkOf(second)],
    ]);
    expect(first.links).toEqual([linkOf(requests[0]![0]!), linkOf(requests[1]![0]!)]);
    expect(second.links).toEqual([linkOf(requests[2]![0]!)]);
    expect(first).toMatchObject({
      startMs: 1000 - 0.01 - 2,
      endMs: 1000 - 0.01,
      attributes: { 'switchback.batch_rows': 2 },
    });
    expect(second.traceId).not.toBe(first.traceId);
  });

  test('is told once, also where one who was in it is told of later', () => {
    const { spansOf, endTurn } = make();
    const batch = {};
    spansOf({ batch });
    const [told] = endTurn();

    const late = spansOf({ batch });

    expect(endTurn()).toEqual([]);
    expect(runOf(late)?.links).toEqual([linkOf(told!)]);
  });

  test('points to no more than are kept of a span', () => {
    const { spansOf, endTurn } = make();
    const batch = {};

    for (let index = 0; index < 150; index++) spansOf({ batch });

    expect(endTurn()[0]?.links).toHaveLength(128);
  });

  test('of which nobody records anything has no span', () => {
    const { spansOf, endTurn } = make(0);

    spansOf({ batch: {} }, carrying());

    expect(endTurn()).toEqual([]);
  });

  test('that was told of in the last turn is passed on when all ends', () => {
    const { spansOf, traces, sink } = make();
    spansOf({ batch: {} });

    traces[Symbol.dispose]();

    expect(sink.spans.at(-1)?.name).toBe('engine batch');
  });
});

test('an attempt that failed before another was made has a span that names its revision and the reason', () => {
  const { spansOf } = make();
  const failed = { backend: backend('2'), code: 'E_ENGINE_DIED', afterMs: 0.25, tookMs: 1 };

  const spans = spansOf({ attempts: 2, failed });

  const [root] = spans;
  expect(root?.code).toBeNull();
  expect(spans.filter(({ name }) => name === 'failed attempt')).toMatchObject([
    {
      traceId: TRACE,
      parentId: root?.spanId,
      startMs: 997.25,
      endMs: 998.25,
      attributes: { 'switchback.version': '2', 'switchback.revision': REVISION },
      code: 'E_ENGINE_DIED',
    },
  ]);
  expect(spansOf({}).map(({ name }) => name)).not.toContain('failed attempt');
});

test('what failed says so, with our code, and where nothing is known of stages there are none', () => {
  const { spansOf } = make();
  const stages = { parseMs: 0, queueMs: 0, batchMs: 0, runMs: 0, encodeMs: 0 };

  const spans = spansOf({ code: 'E_MODEL_UNKNOWN', backend: null, stages });

  expect(spans).toMatchObject([{ name: 'infer', code: 'E_MODEL_UNKNOWN' }]);
});
