import { stringify } from 'yaml';

/** `rollout.canary.steps[0].weight` and its value. */
export interface Field {
  name: string;
  value: unknown;
}

/** The object that has these fields. Names are of our own making, from documents without dangerous keys. */
export function nested(fields: readonly Field[]): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const { name, value } of fields) put(root, keysOf(name), value);
  return root;
}

export function documentText(document: object): string {
  return stringify(document, { lineWidth: 100, aliasDuplicateObjects: false });
}

function keysOf(name: string): (string | number)[] {
  return [...name.matchAll(/([^.[\]]+)|\[(\d+)\]/g)].map(([, key, index]) => key ?? Number(index));
}

function put(root: object, keys: readonly (string | number)[], value: unknown): void {
  let at = root as Record<string | number, unknown>;
  for (const [index, key] of keys.entries()) {
    const next = keys[index + 1];
    if (next === undefined) at[key] = value;
    else at[key] ??= typeof next === 'number' ? [] : {};
    at = at[key] as Record<string | number, unknown>;
  }
}
