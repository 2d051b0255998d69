import { plain } from '@switchback-ml/schemas';
import type { Source } from '../../command/index.ts';

/** Where an answer comes from, so that nobody takes a stale clone for the truth. */
export function sourceText(source: Source): string {
  const from =
    source.kind === 'controller'
      ? `from the controller at ${source.address}`
      : `from git: ${source.branch}${source.commit === null ? '' : ` at ${source.commit.slice(0, 7)}`} of ${source.repository}`;
  return `${[`(${from})`, ...source.notes].map(plain).join('\n')}\n`;
}
