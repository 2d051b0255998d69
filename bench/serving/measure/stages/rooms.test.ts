import { describe, expect, test } from 'vitest';
import { byOrder, ROOM, roomOf } from './rooms.ts';

const OURS = 'file:///somewhere/runtime/src/';

/** Each `function@url`, from the one that ran outwards. */
function roomOfStack(...stack: string[]): string | null {
  return roomOf(
    [...stack, '(root)@'].map(text => {
      const [functionName = '', url = ''] = text.split('@@');
      return { functionName: functionName.replace(/@$/, ''), url };
    }),
  );
}

describe('the room of a stack', () => {
  test.each([
    ['front/lane/connection.ts', 'front/lane'],
    ['front/door.ts', 'front, its own files'],
    ['front/protocol/v2/scan.ts', 'front/protocol/v2'],
    ['front/protocol/tensors/json/scan-floats.ts', 'front/protocol/tensors'],
    ['front/grpc/message/read.ts', 'front/grpc'],
    ['inference/inference.ts', 'inference'],
    ['telemetry/trace/span.ts', 'telemetry'],
    ['engine/onnx/frame.ts', 'engine'],
    ['loaded-set.ts', 'runtime, its own files'],
  ])('of a function in %s is %s', (path, room) => {
    expect(roomOfStack(`work@@${OURS}${path}`, `serve@@${OURS}main.ts`)).toBe(room);
  });

  test.each([
    ['node:net', ROOM.streams],
    ['node:internal/stream_base_commons', ROOM.streams],
    ['node:internal/streams/writable', ROOM.streams],
    ['node:_http_server', ROOM.http],
    ['node:internal/timers', ROOM.timers],
    ['node:internal/process/task_queues', ROOM.ticks],
    ['node:internal/async_hooks', ROOM.ticks],
    ['file:///somewhere/node_modules/pino/lib/proto.js', 'pino'],
    ['file:///somewhere/node_modules/@fastify/swagger/index.js', '@fastify/swagger'],
    ['file:///somewhere/node_modules/a/node_modules/b/index.js', 'b'],
    ['file:///somewhere/schemas/src/identity.ts', ROOM.rest],
  ])('of a function in %s is %s, whoever called it', (url, room) => {
    expect(roomOfStack(`work@@${url}`, `serve@@${OURS}inference/inference.ts`)).toBe(room);
  });

  test('of a built-in or a tool of Node is that of whoever called it', () => {
    const caller = `decode@@${OURS}batching/batch.ts`;

    expect(roomOfStack('parse', caller)).toBe('batching');
    expect(roomOfStack('utf8Slice', 'toString@@node:buffer', caller)).toBe('batching');
    expect(roomOfStack('emit@@node:events', 'push@@node:internal/streams/readable')).toBe(ROOM.streams);
  });

  test('of tools that nobody of ours called is the rest of Node', () => {
    expect(roomOfStack('readdir', 'readdirSync@@node:fs')).toBe(ROOM.node);
  });

  test('of writing is by who wrote', () => {
    const stream = ['writeGeneric@@node:internal/stream_base_commons', 'write@@node:net'];

    expect(roomOfStack('writev', ...stream, `ask@@${OURS}engine/onnx/index.ts`)).toBe(ROOM.between);
    expect(roomOfStack('writeLatin1String', ...stream, `send@@${OURS}front/lane/connection.ts`)).toBe(
      ROOM.toClients,
    );
    expect(roomOfStack('WriteWrap', ...stream, `send@@${OURS}front/lane/connection.ts`)).toBe(ROOM.streams);
    expect(roomOfStack('writeString', 'write@@node:fs', `log@@${OURS}telemetry/request-log.ts`)).toBe(
      'telemetry',
    );
  });

  test("of ONNX Runtime's native code is the graph, and of its scripts their own", () => {
    const script = 'run@@/somewhere/node_modules/onnxruntime-node/dist/backend.js';

    expect(roomOfStack('', script)).toBe(ROOM.graph);
    expect(roomOfStack(script, `run@@${OURS}engine/onnx/session.ts`)).toBe(ROOM.glue);
  });

  test('of what belongs to no function is that of the machine beneath', () => {
    expect(roomOfStack('(program)')).toBe(ROOM.program);
    expect(roomOfStack('(garbage collector)', `serve@@${OURS}main.ts`)).toBe(ROOM.garbage);
  });

  test('is none while nobody worked, or only the profiler', () => {
    const profiler = new URL('./profiler.ts', import.meta.url).href;

    expect(roomOfStack('(idle)')).toBeNull();
    expect(roomOfStack('readFileUtf8', 'readFileSync@@node:fs', `threads@@${profiler}`)).toBeNull();
    expect(roomOf([])).toBeNull();
  });
});

test('rooms stand in the order in which a request passes them, and the others after', () => {
  const passed = [
    ROOM.outside,
    'front/lane',
    'front/protocol/v2',
    'front/grpc',
    'inference',
    'batching',
    'engine',
    ROOM.toClients,
    'loading',
    'pino',
    ROOM.timers,
    ROOM.garbage,
    ROOM.threads,
  ];

  expect(passed.toReversed().toSorted(byOrder)).toEqual(passed);
  expect(passed.toSorted(byOrder)).toEqual(passed);
});
