import { type Clock, systemClock } from '../../clock.ts';
import { SwitchbackError } from '../../error.ts';
import type { ArtifactSink, LfsObject } from '../repository.ts';
import { lfsAddresses } from './address.ts';
import { type Action, askBatch, type Operation } from './batch.ts';
import { type BatchDesk, batchDesk } from './batch-desk.ts';
import { forAll, type Pool, pool } from './pool.ts';
import { receiveBody } from './receive-body.ts';
import type { ResumableSource } from './resumable-source.ts';
import { retrying } from './retry.ts';
import { type Sending, sendBody, verifySent } from './send-body.ts';
import { type StallRule, type StallWatch, stallWatch } from './stall.ts';
import { type OnProgress, throttledProgress } from './transfer-progress.ts';
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
  stall?: Partial<StallRule>;
  /** Of uploads; how far a download is knows best who keeps it. */
  onProgress?: OnProgress;
}

interface Client {
  transport: Transport;
  desks: Record<Operation, BatchDesk>;
  transfers: Pool;
  clock: Clock;
  stall: Partial<StallRule>;
  onProgress: OnProgress;
}

const TRANSFERS_AT_ONCE = 4;
/** An address that would end before its first byte comes is as good as ended. */
const MARGIN_MS = 5_000;
/** What a server that signs its addresses answers once they have ended. */
const MAY_HAVE_ENDED = new Set<unknown>([401, 403]);
const NO_SUCH_RANGE = 416;

/**
 * LFS over its batch API: `basic` transfers and sha256 alone, up to a hundred objects a question, four transfers at
 * once. What `.lfsconfig` in a repository says plays no part.
 */
export function lfsClient(settings: LfsClientSettings): ResumableSource & ArtifactSink {
  const client = open(settings);
  return {
    download: (object, write, signal, beginning) => {
      // Kept from attempt to attempt: what was written stays, the next one goes on behind it.
      const progress = { bytes: beginning?.bytes ?? 0 };
      beginning?.leaveOut();
      return retrying({ clock: client.clock, signal, bytes: () => progress.bytes }, () =>
        withAction(client, 'download', object, signal, async ({ download }) => {
          if (download === undefined) throw noAction(object);
          using watch = stallWatch(client.stall, signal);
          const response = await getFrom(client, download, progress.bytes, watch);
          await receiveBody(response, { object, write, progress, watch });
        }),
      );
    },
    upload: (objects, signal) =>
      forAll(
        objects,
        ({ file, ...object }, until) =>
          retrying({ clock: client.clock, signal: until }, () => send(client, object, file, until)),
        signal,
      ),
  };
}

/** From a byte on; a server that will give no range is asked for the whole. */
async function getFrom(
  { transport }: Client,
  { url, headers }: Action,
  from: number,
  { signal }: StallWatch,
): Promise<Response> {
  const get = (range: Record<string, string>): Promise<Response> =>
    transport({
      url,
      method: 'GET',
      headers: { ...headers, ...range, 'accept-encoding': 'identity' },
      signal,
    });
  if (from === 0) return get({});
  try {
    return await get({ range: `bytes=${from}-` });
  } catch (error) {
    if (!(error instanceof SwitchbackError) || error.details['objectStatus'] !== NO_SUCH_RANGE) throw error;
    return get({});
  }
}

function open(settings: LfsClientSettings): Client {
  const { url, authorization, allowedHosts = [], fetch = globalThis.fetch } = settings;
  const { clock = systemClock, stall = {}, onProgress = () => {} } = settings;
  const addresses = lfsAddresses(url, allowedHosts);
  const transport = lfsTransport({ addresses, authorization, fetch, clock });
  const secrets = (authorization ?? '').split(/\s+/).filter(word => word.length >= 6);
  const desk = (operation: Operation): BatchDesk =>
    batchDesk(async (objects, signal) => {
      // An answer is short: it comes before the silence is too long, or not at all.
      using watch = stallWatch({ ...stall, floorBytesPerSecond: 0 }, signal);
      return await askBatch({ transport, addresses, operation, objects, secrets, signal: watch.signal });
    });
  return {
    transport,
    desks: { download: desk('download'), upload: desk('upload') },
    transfers: pool(TRANSFERS_AT_ONCE),
    clock,
    stall,
    onProgress: throttledProgress(onProgress, clock),
  };
}

type Acting = (actions: Awaited<ReturnType<BatchDesk>>) => Promise<void>;

/** Asks, waits for a place and acts; once more with fresh addresses where those at hand have ended. */
async function withAction(
  { desks, transfers, clock }: Client,
  operation: Operation,
  object: LfsObject,
  signal: AbortSignal,
  act: Acting,
): Promise<void> {
  const desk = desks[operation];
  const first = await desk(object, signal);
  const askedAt = clock.now();
  await transfers.run(async () => {
    if (hasEnded(first[operation], askedAt, clock.now())) return act(await desk(object, signal));
    try {
      await act(first);
    } catch (error) {
      if (!mayHaveEnded(error)) throw error;
      await act(await desk(object, signal));
    }
  }, signal);
}

/** Nothing is sent when the server has the object already. */
function send(client: Client, object: LfsObject, file: string, signal: AbortSignal): Promise<void> {
  const { transport, onProgress, stall } = client;
  return withAction(client, 'upload', object, signal, async ({ upload, verify }) => {
    if (upload === undefined) return;
    using watch = stallWatch(stall, signal);
    const sending: Sending = { transport, object, file, watch, onProgress };
    await sendBody(sending, upload);
    if (verify !== undefined) await verifySent(sending, verify);
  });
}

function hasEnded(action: Action | undefined, askedAt: number, now: number): boolean {
  if (action === undefined) return false;
  const { lastsMs, lastsUntil } = action;
  if (lastsMs !== null) return now + MARGIN_MS >= askedAt + lastsMs;
  return lastsUntil !== null && now + MARGIN_MS >= lastsUntil;
}

function mayHaveEnded(error: unknown): boolean {
  return error instanceof SwitchbackError && MAY_HAVE_ENDED.has(error.details['objectStatus']);
}

function noAction({ digest }: LfsObject): SwitchbackError {
  return new SwitchbackError(
    'E_LFS_OBJECT',
    `The LFS server does not say where ${digest} can be downloaded; push it with "git lfs push --all".`,
    { details: { digest } },
  );
}
