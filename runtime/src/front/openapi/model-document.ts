import { capacityRows } from '../../batching/capacity.ts';
import type { Described } from './described.ts';
import { documentOf } from './document.ts';
import { mlflowSection } from './mlflow-section.ts';
import type { Part } from './operation.ts';
import { tfServingSection } from './tf-serving-section.ts';
import { v2Section } from './v2-section.ts';

/** One model, or one version of it, in each protocol that it may be asked by. */
export function modelDocument(described: Described): Part {
  const { model, version, backend } = described;
  const about = {
    title: version === null ? model : `${model} ${version}`,
    description: descriptionOf(described),
    version: backend.version,
    root: version === null ? '../../..' : '../../../../..',
  };
  return documentOf(about, [v2Section(described), tfServingSection(described), mlflowSection(described)]);
}

function descriptionOf({ version, backend: { limits } }: Described): string {
  const who =
    version === null
      ? 'The route decides which version answers; this is the signature of the one with most traffic.'
      : 'This version answers whatever its weight, and its answers count for no objective.';
  const rows = `A request may have up to ${capacityRows(limits)} rows, and takes at most ${limits.timeoutMs} ms.`;
  return `${who}\n\n${rows} Bodies may be compressed by gzip or deflate, both ways.`;
}
