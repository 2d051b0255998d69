import { openAsBlob } from 'node:fs';
import { type Clock, systemClock } from '../../clock.ts';
import { SwitchbackError } from '../../error.ts';
import type { ArtifactSink, ArtifactSource, LfsObject } from '../repository.ts';
import { type Addresses, lfsAddresses } from './address.ts';
import { type Action, type Actions, askBatch, LFS_HEADERS } from './batch.ts';
import { receiveBody, type Transfer } from './receive-body.ts';
import { retrying } from './retry.ts';
import { type StallWatch, stallWatch } from './stall.ts';
import { lfsTransport, type Transport } from './transport.ts';

export interface LfsClientSettings {
  /** Of the LFS server, `https://host/team/models.git/info/lfs`, without credentials. */
  url: string;
  /** The whole header, `Basic …`; goes to the server above and to no other. */
  authorization?: string;
  /** Other hosts, with port where it is not the usual one, that the server may name for objects. */
  allowedHosts?: readonly string[];
  fetch?: typeof globalThis.fetch;
  clock?: Clock;
  /** How long nothing may come before a transfer is given up. */
  stallMs?: number;
}

interface Client {
  transport: Transport;
  addresses: Addresses;
  secrets: readonly string[];
  clock: Clock;
  stallMs: number;
}

const STALL_MS = 30_000;

/** LFS over its batch API, `basic` transfers alone. What `.lfsconfig` in a repository says plays no part. */
export function lfsClient(settings: LfsClientSettings): ArtifactSource & ArtifactSink {
  const { url, authorization, allowedHosts = [], fetch = globalThis.fetch } = settings;
  const { clock = systemClock, stallMs = STALL_MS } = settings;
  const addresses = lfsAddresses(url, allowedHosts);
  const client: Client = {
    transport: lfsTransport({ addresses, authorization, fetch, clock }),
    addresses,
    secrets: (authorization ?? '').split(/\s+/).filter(word => word.length >= 6),
    clock,
    stallMs,
  };

  return {
    download: async (object, write, signal) => {
      // Kept from attempt to attempt: what was written stays, the next one goes on behind it.
      const progress = { bytes: 0 };
      await retrying(clock, signal, async () => {
        using watch = stallWatch(stallMs, object.sizeBytes, signal);
        const { download } = await ask(client, 'download', object, watch);
        if (download === undefined) throw noAction(object);
        await fetchObject(client, download, { object, write, progress, watch });
      });
    },
    upload: async (objects, signal) => {
      for (const object of objects) await retrying(clock, signal, () => sendObject(client, object, signal));
    },
  };
}

function ask(
  { transport, addresses, secrets }: Client,
  operation: 'download' | 'upload',
  object: LfsObject,
  { signal }: StallWatch,
): Promise<Actions> {
  return askBatch({ transport, addresses, secrets, operation, object, signal });
}

async function fetchObject(
  { transport }: Client,
  { url, headers }: Action,
  { object, write, progress, watch }: Transfer,
): Promise<void> {
  watch.touch();
  const range = progress.bytes === 0 ? {} : { range: `bytes=${progress.bytes}-` };
  const response = await transport({
    url,
    method: 'GET',
    headers: { ...headers, ...range, 'accept-encoding': 'identity' },
    signal: watch.signal,
  });
  await receiveBody(response, { object, write, progress, watch });
}

/** Nothing is sent when the server has the object already. */
async function sendObject(
  client: Client,
  { file, ...object }: LfsObject & { file: string },
  signal: AbortSignal,
): Promise<void> {
  using watch = stallWatch(client.stallMs, object.sizeBytes, signal);
  const { upload, verify } = await ask(client, 'upload', object, watch);
  if (upload === undefined) return;
  const blob = await openAsBlob(file);
  if (blob.size !== object.sizeBytes) throw changed(object, blob.size);
  await drain(
    await client.transport({
      url: upload.url,
      method: 'PUT',
      headers: {
        'content-type': 'application/octet-stream',
        ...upload.headers,
        'content-length': String(blob.size),
      },
      body: watched(blob, watch),
      signal: watch.signal,
    }),
  );
  if (verify === undefined) return;
  watch.touch();
  await drain(
    await client.transport({
      url: verify.url,
      method: 'POST',
      headers: { ...verify.headers, ...LFS_HEADERS },
      body: JSON.stringify({ oid: object.digest, size: object.sizeBytes }),
      signal: watch.signal,
    }),
  );
}

/** Counts as alive while the other side takes bytes. */
function watched(blob: Blob, watch: StallWatch): ReadableStream<Uint8Array> {
  const counting = new TransformStream<Uint8Array, Uint8Array>({
    transform: (chunk, controller) => {
      watch.touch();
      controller.enqueue(chunk);
    },
  });
  return blob.stream().pipeThrough(counting);
}

/** The answer's words are not needed, its connection is. */
async function drain(response: Response): Promise<void> {
  await response.body?.cancel();
}

function noAction({ digest }: LfsObject): SwitchbackError {
  return new SwitchbackError(
    'E_LFS_OBJECT',
    `The LFS server does not say where ${digest} can be downloaded; push it with "git lfs push --all".`,
    { details: { digest } },
  );
}

function changed({ digest, sizeBytes }: LfsObject, found: number): SwitchbackError {
  return new SwitchbackError(
    'E_LFS_DIGEST',
    `The file of ${digest} has ${found} bytes where ${sizeBytes} are declared and was not uploaded; register it again.`,
    { details: { digest, sizeBytes, found } },
  );
}
