import type { IncomingMessage } from 'node:http';
import { ArtifactDigest, NAME_PATTERN } from '@switchback-ml/schemas';
import { isLoopback } from '../repository/remote-url.ts';
import { Refusal } from './answer.ts';

/** What a request is for. Nothing of it but `name` and `digest`, each of a strict grammar, ever names a file. */
export type Route = { name: string } & (
  | { kind: 'git'; service: 'git-upload-pack' | 'git-receive-pack'; isAdvertisement: boolean }
  | { kind: 'lfs'; what: 'batch' | 'verify' | 'locks' | 'locks-verify' | 'unlock' }
  | { kind: 'lfs'; what: 'object'; digest: ArtifactDigest }
);

export type GitRoute = Extract<Route, { kind: 'git' }>;
export type LfsRoute = Extract<Route, { kind: 'lfs' }>;

const SHAPE = /^\/([^/]+)\.git\/(.+)$/;
const METHODS: Record<string, readonly string[]> = {
  advertisement: ['GET'],
  exchange: ['POST'],
  batch: ['POST'],
  verify: ['POST'],
  locks: ['GET', 'POST'],
  'locks-verify': ['POST'],
  unlock: ['POST'],
  object: ['GET', 'HEAD', 'PUT'],
};
const LFS_ADDRESSES: Readonly<Record<string, Exclude<LfsRoute['what'], 'object'>>> = {
  'info/lfs/objects/batch': 'batch',
  'info/lfs/objects/verify': 'verify',
  'info/lfs/locks': 'locks',
  'info/lfs/locks/verify': 'locks-verify',
};
const UNLOCK = /^info\/lfs\/locks\/[^/]{1,200}\/unlock$/;

export function parseRoute(request: IncomingMessage): Route {
  // A page in a browser could reach this machine under a name of its own.
  const host = URL.parse(`http://${request.headers.host ?? ''}`);
  if (host === null || !isLoopback(host.hostname)) throw new Refusal(421, 'This remote is for this machine.');

  const { pathname = '', searchParams } = URL.parse(request.url ?? '', 'http://localhost') ?? {};
  const [, name = '', rest = ''] = SHAPE.exec(pathname) ?? [];
  const route = NAME_PATTERN.test(name) ? routeOf(name, rest, searchParams?.get('service') ?? '') : null;
  if (route === null) throw new Refusal(404, 'There is nothing here; clone http://<host>/<name>.git');
  const allowed = METHODS[methodsKey(route)] ?? [];
  if (!allowed.includes(request.method ?? ''))
    throw new Refusal(405, `This address answers ${allowed.join(' and ')}.`);
  return route;
}

function routeOf(name: string, rest: string, service: string): Route | null {
  if (rest === 'info/refs')
    return isService(service) ? { name, kind: 'git', service, isAdvertisement: true } : null;
  if (isService(rest)) return { name, kind: 'git', service: rest, isAdvertisement: false };
  const what = LFS_ADDRESSES[rest];
  if (what !== undefined) return { name, kind: 'lfs', what };
  if (UNLOCK.test(rest)) return { name, kind: 'lfs', what: 'unlock' };
  const digest = ArtifactDigest.safeParse(/^info\/lfs\/objects\/(.+)$/.exec(rest)?.[1]);
  return digest.success ? { name, kind: 'lfs', what: 'object', digest: digest.data } : null;
}

function isService(text: string): text is GitRoute['service'] {
  return text === 'git-upload-pack' || text === 'git-receive-pack';
}

function methodsKey(route: Route): string {
  if (route.kind === 'lfs') return route.what;
  return route.isAdvertisement ? 'advertisement' : 'exchange';
}
