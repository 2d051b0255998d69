import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ForgedRemote extends AsyncDisposable {
  url: string;
  /** How often a pack was asked for. */
  packsSent: number;
}

/** A smart-HTTP remote that no git stands behind: it says where `main` is, and sends whatever pack it was given. */
export async function forgedRemote(head: string, pack: Buffer): Promise<ForgedRemote> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () =>
      response.end(answer(request.url ?? '', Buffer.concat(chunks).toString('latin1'))),
    );
    const service = request.url?.includes('info/refs') ? 'advertisement' : 'result';
    response.setHeader('content-type', `application/x-git-upload-pack-${service}`);
  });
  function answer(path: string, body: string): Buffer {
    if (path.includes('info/refs'))
      return Buffer.concat([
        ...['# service=git-upload-pack\n', null, 'version 2\n', 'ls-refs\n', 'fetch\n'].map(packet),
        packet('object-format=sha1\n'),
        packet(null),
      ]);
    if (body.includes('command=ls-refs'))
      return Buffer.concat([packet(`${head} refs/heads/main\n`), packet(null)]);
    remote.packsSent += 1;
    return Buffer.concat([packet('packfile\n'), ...bands(pack), packet(null)]);
  }
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const remote: ForgedRemote = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/forged.git`,
    packsSent: 0,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
  return remote;
}

/** A pack of one object whose head says that it is so large, with nothing behind it that could be. */
export function boastingPack(type: 'commit' | 'tree' | 'blob', sizeBytes: number, content: Buffer): Buffer {
  const types = { commit: 1, tree: 2, blob: 3 };
  const head: number[] = [];
  let rest = sizeBytes;
  let byte = (types[type] << 4) | (rest % 16);
  for (rest = Math.floor(rest / 16); rest > 0; rest = Math.floor(rest / 128)) {
    head.push(byte | 0x80);
    byte = rest % 128;
  }
  head.push(byte);
  const pack = Buffer.concat([Buffer.from('PACK\0\0\0\x02\0\0\0\x01', 'latin1'), Buffer.from(head), content]);
  return Buffer.concat([pack, createHash('sha1').update(pack).digest()]);
}

/** Null is a flush. */
function packet(content: string | Buffer | null): Buffer {
  if (content === null) return Buffer.from('0000');
  const bytes = Buffer.from(content);
  return Buffer.concat([Buffer.from((bytes.length + 4).toString(16).padStart(4, '0')), bytes]);
}

function bands(pack: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0; at < pack.length; at += 60_000)
    parts.push(packet(Buffer.concat([Buffer.from([1]), pack.subarray(at, at + 60_000)])));
  return parts;
}
