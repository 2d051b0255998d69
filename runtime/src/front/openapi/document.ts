import { BUILD } from '../../telemetry/build.ts';
import type { Section } from './described.ts';
import { COMPONENTS, KEYED, type Part } from './operation.ts';

/** What a document says of itself. */
export interface About {
  title: string;
  /** Ours, as markdown. */
  description: string;
  version?: string;
  /** From the document's own address to where all paths begin, so that it holds behind any gateway. */
  root: string;
}

/** An OpenAPI 3.1 document. */
export function documentOf(
  { title, description, version = BUILD.version, root }: About,
  sections: readonly Section[],
): Part {
  return {
    openapi: '3.1.1',
    info: { title, description, version },
    servers: [{ url: root }],
    security: KEYED,
    tags: sections.map(({ tag }) => tag),
    paths: Object.assign({}, ...sections.map(({ paths }) => paths)) as Part,
    components: {
      ...COMPONENTS,
      schemas: Object.assign({}, ...sections.map(({ schemas }) => schemas)) as Part,
    },
  };
}

/** As JSON that is no markup wherever it may be put: names of tensors are anybody's text. */
export function printDocument(document: Part): string {
  return JSON.stringify(document).replace(
    /[<>&\u2028\u2029]/g,
    char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
