import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ArtifactDigest } from '@switchback-ml/schemas';
import { describe, expect, onTestFinished, test } from 'vitest';
import { artifactContract, sha256 } from '../artifact.contract.ts';
import { controllerArtifacts } from './index.ts';

const TOKEN = 'shared-secret';

artifactContract('controller', async () => {
  const objects = new Map<string, Uint8Array>();
  const stateDir = await mkdtemp(join(tmpdir(), 'switchback-state-'));
  const { server, address } = await serve(objects);
  return {
    artifacts: await controllerArtifacts({ controller: address, token: TOKEN, stateDir }),
    objects,
    close: async () => {
      await closed(server);
      await rm(stateDir, { recursive: true, force: true });
    },
  };
});

describe('artifacts of the controller', () => {
  test('are asked for with the shared token, and a refusal keeps nothing on disk', async () => {
    const bytes = Buffer.from('secret model');
    const stateDir = await mkdtemp(join(tmpdir(), 'switchback-state-'));
    const { server, address } = await serve(new Map([[sha256(bytes), bytes]]));
    onTestFinished(async () => {
      await closed(server);
      await rm(stateDir, { recursive: true, force: true });
    });
    await using artifacts = await controllerArtifacts({ controller: address, token: 'other', stateDir });

    const refused = artifacts.open(
      { sha256: ArtifactDigest.parse(sha256(bytes)), size: bytes.length },
      AbortSignal.timeout(10_000),
    );

    await expect(refused).rejects.toMatchObject({
      code: 'E_ARTIFACT_PULL',
      message: expect.stringContaining('401'),
    });
    expect(await readdir(join(stateDir, 'artifacts'))).toEqual([]);
  });

  test('stop being pulled when nobody wants them any more', async () => {
    const stateDir = await mkdtemp(join(tmpdir(), 'switchback-state-'));
    const abort = new AbortController();
    const server = createServer((_, response) => {
      response.writeHead(200).write('the beginning');
      abort.abort();
    }).listen(0, '127.0.0.1');
    onTestFinished(async () => {
      await closed(server);
      await rm(stateDir, { recursive: true, force: true });
    });
    await using artifacts = await controllerArtifacts({
      controller: await addressOf(server),
      token: TOKEN,
      stateDir,
    });

    const pulled = artifacts.open({ sha256: ArtifactDigest.parse('a'.repeat(64)), size: 1000 }, abort.signal);

    await expect(pulled).rejects.toMatchObject({ code: 'E_ARTIFACT_PULL' });
    expect(await readdir(join(stateDir, 'artifacts'))).toEqual([]);
  });
});

async function serve(objects: ReadonlyMap<string, Uint8Array>): Promise<{ server: Server; address: string }> {
  const server = createServer((request, response) => {
    const bytes = objects.get(request.url?.split('/').at(-1) ?? '');
    const isKnown = request.headers.authorization === `Bearer ${TOKEN}`;
    response.writeHead(isKnown ? (bytes === undefined ? 404 : 200) : 401).end(isKnown ? bytes : undefined);
  }).listen(0, '127.0.0.1');
  return { server, address: await addressOf(server) };
}

async function addressOf(server: Server): Promise<string> {
  if (!server.listening) await new Promise(resolve => server.once('listening', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise(resolve => server.close(resolve));
}
