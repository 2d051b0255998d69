import { once } from 'node:events';
import { connect } from 'node:http2';
import { createRequire } from 'node:module';
import { credentials, loadPackageDefinition, type ServiceClientConstructor, status } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { describe, expect, onTestFinished, test } from 'vitest';
import { steppedClock } from '../../clock.fixture.ts';
import type { Tensors } from '../../engine/tensor.ts';
import { eventually, KEY } from '../../serving.fixture.ts';
import { REQUEST_TIMEOUT_MS } from '../limits.ts';
import {
  backends,
  ratio,
  request,
  type ScriptedModel,
  scriptedInference,
  startGrpcFixture,
} from './grpc.fixture.ts';

test.each(['v1', 'v1alpha'])('reflection %s tells what there is to anybody', async version => {
  const grpc = await startGrpcFixture(scriptedInference({}));
  const require = createRequire(import.meta.resolve('@grpc/reflection'));
  const definition = loadSync(require.resolve(`../proto/grpc/reflection/${version}/reflection.proto`));
  const { grpc: packages } = loadPackageDefinition(definition) as never as {
    grpc: { reflection: Record<string, Record<'ServerReflection', ServiceClientConstructor>> };
  };
  const client = new packages.reflection[version]!.ServerReflection(
    grpc.address,
    credentials.createInsecure(),
  );
  onTestFinished(() => client.close());
  const stream = client['ServerReflectionInfo']!();

  const answers: {
    listServicesResponse?: { service: { name: string }[] };
    fileDescriptorResponse?: object;
  }[] = [];
  stream.on('data', (answer: never) => answers.push(answer));
  stream.write({ listServices: '*' });
  stream.write({ fileContainingSymbol: 'inference.ModelInferRequest' });
  stream.end();
  await new Promise(resolve => stream.on('end', resolve));

  expect(answers[0]!.listServicesResponse!.service.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['inference.GRPCInferenceService', 'grpc.health.v1.Health']),
  );
  expect(answers[1]!.fileDescriptorResponse).toBeDefined();
});

describe('the server', () => {
  test('gives up a request that does not arrive whole', async () => {
    const clock = steppedClock();
    const grpc = await startGrpcFixture(scriptedInference({}), { clock });
    const session = connect(`http://${grpc.address}`);
    onTestFinished(() => session.destroy());
    const stream = session.request({
      ':method': 'POST',
      ':path': '/inference.GRPCInferenceService/ModelInfer',
      'content-type': 'application/grpc',
      authorization: `Bearer ${KEY}`,
    });
    const answered = new Promise<string | undefined>(resolve =>
      stream.on('response', headers => resolve(headers['grpc-status'] as string | undefined)),
    );
    stream.write(Buffer.of(0, 0, 0, 0, 9, 1));
    await once(session, 'connect');
    // A round trip on the same connection: what was sent before has arrived.
    await new Promise<void>((resolve, reject) =>
      session.ping(error => (error === null ? resolve() : reject(error))),
    );
    await clock.advance(REQUEST_TIMEOUT_MS - 1000);
    expect(await Promise.race([answered, Promise.resolve('still waiting')])).toBe('still waiting');

    await clock.advance(2000);

    expect(Number(await answered)).toBe(status.DEADLINE_EXCEEDED);
  });

  test('answers what is under way before it stops, and takes nothing new', async () => {
    let finish = (): void => {};
    const run: ScriptedModel['run'] = inputs =>
      new Promise(resolve => {
        finish = () => resolve(ratio(inputs));
      });
    const grpc = await startGrpcFixture(scriptedInference({ ratio: { backends, run } }));
    const before = finish;
    const answered = grpc.call('ModelInfer', request(6, 3));
    await eventually(() => finish !== before, 'the request being under way');

    const stopped = grpc[Symbol.asyncDispose]();
    const refused = await grpc.refused('ServerLive', {}, { deadlineMs: 5000 });
    finish();

    expect(refused.code).toBe(status.UNAVAILABLE);
    expect((await answered).response['model_name']).toBe('ratio');
    await stopped;
  });

  test('stops in time whoever still waits', async () => {
    const clock = steppedClock();
    let isUnderWay = false;
    const run = (): Promise<Tensors> => {
      isUnderWay = true;
      return new Promise(() => {});
    };
    const grpc = await startGrpcFixture(scriptedInference({ ratio: { backends, run } }), { clock });
    const refused = grpc.refused('ModelInfer', request(6, 3));
    await eventually(() => isUnderWay, 'the request being under way');

    const stopped = grpc[Symbol.asyncDispose]();
    await clock.advance(5000);
    await stopped;

    expect([status.CANCELLED, status.UNAVAILABLE]).toContain((await refused).code);
  });

  test('says that its port is taken', async () => {
    const grpc = await startGrpcFixture(scriptedInference({}));
    const port = Number(grpc.address.split(':')[1]);

    const second = startGrpcFixture(scriptedInference({}), { port });

    await expect(second).rejects.toMatchObject({
      code: 'E_PORT_TAKEN',
      message: expect.stringContaining(String(port)),
    });
  });
});
