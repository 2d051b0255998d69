import type { Edits } from './repository.ts';

/** Edits of the model repository as edits of the git repository that holds it, in a folder or at its top. */
export function belowRoot(root: string, edits: Edits): Edits {
  const folder = root.replace(/^\/+|\/+$/g, '');
  if (folder === '') return edits;
  return new Map([...edits].map(([path, content]) => [`${folder}/${path}`, content]));
}
