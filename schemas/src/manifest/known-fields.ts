import { z } from 'zod';

/** The part of a JSON Schema that says which fields there are. */
interface Fields {
  properties?: Record<string, Fields>;
  additionalProperties?: Fields | boolean;
  items?: Fields;
  anyOf?: Fields[];
  oneOf?: Fields[];
}

/** Which fields a kind of manifest has, at which place. */
export interface KnownFields {
  /** Names that may stand below `path`; empty where any may, or none. */
  below(path: readonly PropertyKey[]): string[];
  /** Dotted places at which a field of this name may stand, outermost first. */
  places(name: string): string[];
  /** Whether a manifest of this kind can hold something at `path`. */
  has(path: readonly string[]): boolean;
}

export function knownFields(schema: z.ZodType): KnownFields {
  let tree: Fields | null = null;
  // Made when somebody first slips: most processes never need it.
  const root = (): Fields => {
    tree ??= z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Fields;
    return tree;
  };
  return {
    below: path => [...new Set(at(root(), path).flatMap(node => Object.keys(node.properties ?? {})))],
    places: name => placesOf(root(), name, ''),
    has: path => at(root(), path).length > 0,
  };
}

function at(root: Fields, path: readonly PropertyKey[]): Fields[] {
  let nodes = variants(root);
  for (const key of path) nodes = nodes.flatMap(node => step(node, key)).flatMap(variants);
  return nodes;
}

function variants(node: Fields): Fields[] {
  const inner = [...(node.anyOf ?? []), ...(node.oneOf ?? [])];
  return inner.length === 0 ? [node] : inner.flatMap(variants);
}

function step(node: Fields, key: PropertyKey): Fields[] {
  if (typeof key === 'number') return node.items ? [node.items] : [];
  const name = String(key);
  const own = node.properties && Object.hasOwn(node.properties, name) ? node.properties[name] : undefined;
  if (own) return [own];
  return typeof node.additionalProperties === 'object' ? [node.additionalProperties] : [];
}

function placesOf(node: Fields, name: string, prefix: string): string[] {
  return variants(node).flatMap(one => {
    const fields = Object.entries(one.properties ?? {});
    const here = fields.some(([field]) => field === name) ? [`${prefix}${name}`] : [];
    return [...here, ...fields.flatMap(([field, inner]) => placesOf(inner, name, `${prefix}${field}.`))];
  });
}
