import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { lfsClient } from '../repository/lfs/client.ts';
import { hashFile } from '../repository/lfs/object-folder.ts';
import { artifactStore } from '../repository/lfs/store.ts';
import { remoteServer } from './server.ts';

/*
 * A process of its own in which one object goes up to a server and comes down into a store, server and client both:
 * `<folder with models.git> <file>`. Says how much memory it had at most, in KiB, before and in the end.
 */

const [directory = '', file = ''] = process.argv.slice(2);
const signal = AbortSignal.timeout(110_000);
await using server = await remoteServer({ directory });
const client = lfsClient({ url: `${server.url('models')}/info/lfs` });
await using store = await artifactStore({ directory: join(directory, 'cache'), source: client });
await using handle = await open(file, 'r');
const before = process.resourceUsage().maxRSS;

const object = await hashFile(handle, signal);
await client.upload([{ ...object, file }], signal);
await store.ensure(object, signal);

process.stdout.write(
  JSON.stringify({ before, peak: process.resourceUsage().maxRSS, sizeBytes: object.sizeBytes }),
);
