import { createHash } from 'node:crypto';
import { SwitchbackError } from '../../error.ts';

/** Which repository a ledger is of: one ledger belongs to one folder of one branch of it. */
export interface LedgerOwner {
  /** As the controller was told; a path where `isDirectory`. */
  url: string;
  branch: string;
  root: string;
  isDirectory: boolean;
}

/**
 * Name of the schema that is this repository's own, so that controllers of several can share a database and the
 * controllers of one meet: `switchback_models_1f0c9a2b`. However the repository is reached, by https or ssh, it is the
 * same one. Throws E_LEDGER for a folder, whose path says nothing to another machine.
 */
export function schemaName({ url, branch, root, isDirectory }: LedgerOwner): string {
  if (isDirectory)
    throw new SwitchbackError(
      'E_LEDGER',
      'the model repository is a folder, whose path may mean another one on the next machine; add ?schema=<name> to the address of the ledger, one name a repository',
    );
  const place = placeOf(url);
  const name = (place.split('/').at(-1) ?? '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .slice(0, 32);
  const digest = createHash('sha256')
    .update(JSON.stringify([place, branch, root]))
    .digest('hex');
  return `switchback_${name}_${digest.slice(0, 8)}`;
}

/** `github.com/team/models`: without protocol, user, default port and `.git`. */
function placeOf(url: string): string {
  const parsed = URL.parse(url.includes('://') ? url : `ssh://${url.replace(':', '/')}`);
  const path = (parsed?.pathname ?? url).replace(/\/+$/, '').replace(/\.git$/, '');
  const port = parsed?.port && parsed.port !== '22' ? `:${parsed.port}` : '';
  return `${(parsed?.hostname ?? '').toLowerCase()}${port}${path}`;
}
