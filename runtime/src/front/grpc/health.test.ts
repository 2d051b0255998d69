import { status } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { steppedClock } from '../../clock.fixture.ts';
import { eventually } from '../../serving.fixture.ts';
import { backends, endOf, ratio, scriptedInference, startGrpcFixture } from './grpc.fixture.ts';

describe('health', () => {
  test('is told of server and models to anybody', async () => {
    const grpc = await startGrpcFixture(scriptedInference({ ratio: { backends, run: ratio } }), {
      readiness: () => ({ isReady: true, reasons: [] }),
      isReady: () => false,
    });
    const check = async (service: string) =>
      (await grpc.call('Check', { service }, { key: null })).response['status'];

    expect(await check('')).toBe('SERVING');
    expect(await check('inference.GRPCInferenceService')).toBe('SERVING');
    expect(await check('ratio')).toBe('NOT_SERVING');
    expect((await grpc.refused('Check', { service: 'rotia' }, { key: null })).code).toBe(status.NOT_FOUND);
    expect((await grpc.call('List')).response['statuses']).toMatchObject({
      ratio: { status: 'NOT_SERVING' },
    });
  });

  test('is told to watchers as it changes, until the server stops', async () => {
    let isReady = false;
    const clock = steppedClock();
    const grpc = await startGrpcFixture(scriptedInference({}), {
      readiness: () => ({ isReady, reasons: [] }),
      clock,
    });
    const watching = grpc.watch('');
    const told: string[] = [];
    watching.on('data', ({ status: current }) => told.push(current));
    const ended = endOf(watching);

    await eventually(() => told.length === 1, 'the first status');
    isReady = true;
    await clock.advance(1000);
    await eventually(() => told.length === 2, 'the second status');
    await clock.advance(1000);
    await grpc[Symbol.asyncDispose]();

    expect((await ended).code).toBe(status.UNAVAILABLE);
    expect(told).toEqual(['NOT_SERVING', 'SERVING', 'NOT_SERVING']);
  });

  test('of what is unknown is watched until it is known', async () => {
    const grpc = await startGrpcFixture(scriptedInference({}));
    const watching = grpc.watch('rotia');

    const [told] = await new Promise<[{ status: string }]>(resolve =>
      watching.once('data', data => resolve([data])),
    );
    watching.on('error', () => {}).cancel();

    expect(told.status).toBe('SERVICE_UNKNOWN');
  });
});
