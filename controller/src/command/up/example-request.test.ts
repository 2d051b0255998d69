import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  API_VERSION,
  type EnvironmentName,
  type ModelName,
  type ServingSnapshot,
  type Signature,
} from '@switchback-ml/schemas';
import { afterEach, describe, expect, it } from 'vitest';
import { curlLine } from './curl.ts';
import { exampleRequest } from './example-request.ts';

const SHA = 'a'.repeat(64);
const signature: Signature = {
  inputs: { x: { datatype: 'FP32', shape: [-1, 2] }, name: { datatype: 'BYTES', shape: [-1] } },
  outputs: { y: { datatype: 'FP32', shape: [-1, 1] } },
};

let server: Server | null = null;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** A controller with one route of one backend, and golden answers if there are any. */
async function serve(golden: object | null): Promise<string> {
  const backend = {
    revision: '0123456789ab-01234567',
    version: '1.0.0',
    digest: `sha256:${SHA}`,
    weight: 100,
    artifacts: { 'golden.json': { sha256: SHA, size: 100 } },
    signature,
    limits: { memoryBytes: 1, timeoutMs: 1, maxBatch: 1 },
    indicators: [],
  };
  const snapshot = {
    apiVersion: API_VERSION,
    kind: 'ServingSnapshot',
    environment: 'dev',
    generation: '0'.repeat(16),
    commit: '0'.repeat(40),
    routes: { m: { backends: [backend] } },
    keys: [],
  } as unknown as ServingSnapshot;
  server = createServer(({ url, headers }, response) => {
    const isOurs = headers.authorization === 'Bearer runtime';
    const body = url?.endsWith('/snapshot') ? snapshot : url?.includes(SHA) ? golden : null;
    response.writeHead(isOurs && body ? 200 : 404).end(JSON.stringify(body));
  });
  await new Promise<void>(resolve => server?.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const ask = (controllerUrl: string, model = 'm') =>
  exampleRequest({
    controllerUrl,
    runtimeToken: 'runtime',
    environment: 'dev' as EnvironmentName,
    model: model as ModelName,
    signal: new AbortController().signal,
  });

describe('an example request', () => {
  it('is the first golden row', async () => {
    const inputs = {
      x: { datatype: 'FP32', shape: [2, 2], data: [1, 2, 3, 4] },
      name: { datatype: 'BYTES', shape: [2], data: ['a', 'b'] },
    };
    const url = await serve({ inputs, outputs: { y: { datatype: 'FP32', shape: [2, 1], data: [0, 1] } } });

    expect(await ask(url)).toEqual({
      inputs: [
        { name: 'x', shape: [1, 2], datatype: 'FP32', data: [1, 2] },
        { name: 'name', shape: [1], datatype: 'BYTES', data: ['a'] },
      ],
    });
  });

  it('has the form of the signature when the golden answers can not be had', async () => {
    expect(await ask(await serve(null))).toEqual({
      inputs: [
        { name: 'x', shape: [1, 2], datatype: 'FP32', data: [0, 0] },
        { name: 'name', shape: [1], datatype: 'BYTES', data: [''] },
      ],
    });
  });

  it('is none for a model that is not served, or a controller that is not there', async () => {
    expect(await ask(await serve(null), 'other')).toBeNull();
    expect(await ask('http://127.0.0.1:1')).toBeNull();
  });

  it('becomes a line that a shell passes on as it is, with the key read when it runs', () => {
    const line = curlLine({
      address: 'http://127.0.0.1:9',
      environment: 'dev' as EnvironmentName,
      model: 'm' as ModelName,
      state: "/it's/state",
      body: { name: "o'clock" },
    });

    expect(line).toBe(
      `curl -s http://127.0.0.1:9/v2/models/m/infer -H "Authorization: Bearer $(cat '/it'\\''s/state/keys/dev')" -H 'Content-Type: application/json' -d '{"name":"o'\\''clock"}'`,
    );
  });
});
