import type { Hold, Instant } from '@switchback-ml/schemas';
import type { RevisionSpec } from '../desired/desired-state.ts';

/**
 * Whether one of the holds names this revision. A hold with settings holds those settings only, and so never a
 * version whose settings are still open (`null`); a hold past its end holds nothing.
 */
export function isHeld(
  revision: { digest: RevisionSpec['digest']; settingsDigest: RevisionSpec['settingsDigest'] | null },
  holds: readonly Hold[],
  now: Instant,
): boolean {
  return holds.some(
    hold =>
      hold.digest === revision.digest &&
      (hold.settings === undefined || hold.settings === revision.settingsDigest) &&
      (hold.until === undefined || Date.parse(hold.until) > now),
  );
}
