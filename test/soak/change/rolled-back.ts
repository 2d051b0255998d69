import type { Environment, Model } from '../example.ts';
import { commit, event, type Ground } from '../ground.ts';
import type { Commit } from '../watch/commits.ts';

/** With the remote away for a while the revert comes when it is back. */
const REVERTED_WITHIN_MS = 3 * 60_000;

/** The commit that put the version on hold, once the rollback's operation is done. */
export async function rolledBack(
  ground: Ground,
  {
    environment,
    model,
    version,
    afterSeq,
  }: { environment: Environment; model: Model; version: string; afterSeq: number },
): Promise<Commit> {
  const subject = `${environment}/${model}`;
  const hold = `A environments/${subject}/holds/${version}.yaml`;
  await event(
    ground,
    `the end of the rollback of ${subject}`,
    REVERTED_WITHIN_MS,
    told =>
      told.type === 'operation.done' &&
      told.subject === subject &&
      told.data['kind'] === 'rollback' &&
      told.seq > afterSeq,
  );
  return commit(ground, `a hold of ${subject} ${version} in git`, REVERTED_WITHIN_MS, ({ files }) =>
    files.includes(hold),
  );
}
