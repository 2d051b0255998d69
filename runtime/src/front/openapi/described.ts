import type { Backend, VersionLabel } from '@switchback-ml/schemas';
import type { Part } from './operation.ts';
import type { Row } from './row.ts';
import type { JsonSchema } from './tensor-schema.ts';

/** Whom a document is about. */
export interface Described {
  model: string;
  /** That the addresses name; null: they leave it to the route. */
  version: VersionLabel | null;
  /** Who tells what the model takes. */
  backend: Backend;
  row: Row | null;
}

/** What one protocol adds to a document. */
export interface Section {
  tag: { name: string; description: string };
  paths: Part;
  schemas: Readonly<Record<string, JsonSchema>>;
}
