import { isMap, isScalar, parseDocument } from 'yaml';
import type { DesiredState, RepositoryHistory } from '../desired/desired-state.ts';
import type { PromotionIntent } from './intent.ts';
import { releasePath } from './promotion-rule.ts';
import { releaseText } from './rollback-edits.ts';

/** The release with its version changed and everything a person wrote around it kept; null: nothing to change. */
export function promotionEdits(
  intent: PromotionIntent,
  desired: DesiredState,
  history: RepositoryHistory,
): Map<string, string | null> | null {
  const environment = desired.environments.get(intent.environment);
  if (!environment || environment.deployments.get(intent.model)?.wanted?.version === intent.version)
    return null;
  const path = releasePath(desired, environment, intent.model);
  const blob = history.paths.get(path)?.at(-1)?.blob;
  const text = blob ? history.texts.get(blob) : undefined;
  return new Map([
    [path, text === undefined ? releaseText(intent.version) : withVersion(text, intent.version)],
  ]);
}

/** Only the version's own characters change, and the digest's line goes: it named the version before. */
function withVersion(text: string, version: string): string {
  const document = parseDocument(text);
  const node = document.get('version', true);
  if (document.errors.length > 0 || !isScalar(node) || !node.range) return releaseText(version);
  const [start, end] = node.range;
  const changed = text.slice(0, start) + JSON.stringify(version) + text.slice(end);
  return document.has('digest') ? withoutDigest(changed) : changed;
}

function withoutDigest(text: string): string {
  const document = parseDocument(text);
  const { contents } = document;
  const pair = isMap(contents)
    ? contents.items.find(({ key }) => isScalar(key) && key.value === 'digest')
    : null;
  if (isMap(contents) && !contents.flow && isScalar(pair?.key) && isScalar(pair.value)) {
    const start = text.lastIndexOf('\n', pair.key.range?.[0] ?? 0) + 1;
    const end = text.indexOf('\n', pair.value.range?.[1] ?? 0) + 1;
    return text.slice(0, start) + (end > 0 ? text.slice(end) : '');
  }
  document.delete('digest');
  return document.toString({ lineWidth: 0 });
}
