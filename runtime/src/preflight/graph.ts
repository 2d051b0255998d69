import { quoted, refused } from './refusal.ts';
import { readTensor } from './tensor.ts';
import { type RawValue, readValue } from './value.ts';
import type { Field, Wire } from './wire.ts';

const MOST_NODES = 1_000_000;
const MOST_TENSORS = 1_000_000;
const MOST_OPERATORS = 10_000;
const MOST_VALUES = 1000;
const MOST_SPARSE_ELEMENTS = 2 ** 31 - 1;
/** Graphs within graphs. Protobuf itself gives up at about 30. */
const DEEPEST = 16;

/** Operators that one body uses, by `operatorKey`. */
export type Uses = Map<string, Use>;
export interface Use {
  domain: string;
  operator: string;
  count: number;
  /** A node that uses it, for a message. */
  node: string;
}

/** What has been counted in the whole file so far. */
export interface Census {
  nodes: number;
  tensors: number;
  weightsBytes: number;
}

/** The graph itself, or a local function: what a node calls ends up in it. */
export interface Body {
  uses: Uses;
  nodes: number;
}

export interface TopGraph {
  inputs: RawValue[];
  outputs: RawValue[];
  initializers: Set<string>;
}

/** `ai.onnx` and the empty domain are one. */
export function operatorKey(domain: string, operator: string, overload: string): string {
  return `${domain === 'ai.onnx' ? '' : domain}\0${operator}\0${overload}`;
}

/** Reads a graph with the graphs inside it, without its weights. */
export function readGraph(
  wire: Wire,
  field: Field,
  scope: { census: Census; body: Body; top: TopGraph | null; depth: number },
): void {
  const { census, body, top, depth } = scope;
  if (depth > DEEPEST)
    throw refused(
      `at byte ${field.at} graphs are nested ${depth} deep, and ${DEEPEST} are the most`,
      'Export it with fewer loops and branches inside one another.',
    );
  for (const part of wire.fields(...wire.content(field))) {
    if (part.number === 1) readNode(wire, part, { census, body, depth });
    if (part.number === 5) countTensor(wire, part, census, 'of the graph', top);
    if (part.number === 15) readSparse(wire, part, census, 'of the graph', top);
    if (top === null) continue;
    if (part.number === 11) addValue(wire, part, top.inputs);
    if (part.number === 12) addValue(wire, part, top.outputs);
  }
}

export function readNode(
  wire: Wire,
  field: Field,
  scope: { census: Census; body: Body; depth: number },
): void {
  const { census, body } = scope;
  census.nodes += 1;
  body.nodes += 1;
  if (census.nodes > MOST_NODES)
    throw refused(`it has more than ${MOST_NODES} nodes`, 'Make the model smaller.');
  const node = { name: '', operator: '', domain: '', overload: '' };
  for (const part of wire.fields(...wire.content(field))) {
    if (part.number === 3) node.name = wire.text(part);
    if (part.number === 4) node.operator = wire.text(part);
    if (part.number === 5) readAttribute(wire, part, scope, field.at);
    if (part.number === 7) node.domain = wire.text(part);
    if (part.number === 8) node.overload = wire.text(part);
  }
  addUse(body.uses, node, field.at);
}

/** An attribute may hold tensors and whole graphs: the bodies of loops and branches. */
export function readAttribute(
  wire: Wire,
  field: Field,
  { census, body, depth }: { census: Census; body: Body; depth: number },
  nodeAt: number,
): void {
  const where = `in the node at byte ${nodeAt}`;
  for (const part of wire.fields(...wire.content(field))) {
    if (part.number === 5 || part.number === 10) countTensor(wire, part, census, where, null);
    if (part.number === 22 || part.number === 23) readSparse(wire, part, census, where, null);
    if (part.number === 6 || part.number === 11)
      readGraph(wire, part, { census, body, top: null, depth: depth + 1 });
  }
}

function countTensor(wire: Wire, field: Field, census: Census, where: string, top: TopGraph | null): void {
  census.tensors += 1;
  if (census.tensors > MOST_TENSORS)
    throw refused(`it has more than ${MOST_TENSORS} tensors`, 'Make the model smaller.');
  const { name, sizeBytes } = readTensor(wire, ...wire.content(field), where);
  census.weightsBytes += sizeBytes;
  top?.initializers.add(name);
}

/** A few values and where they stand; the engine makes a whole tensor of them. */
function readSparse(wire: Wire, field: Field, census: Census, where: string, top: TopGraph | null): void {
  let elements = 1;
  for (const part of wire.fields(...wire.content(field))) {
    if (part.number === 1 || part.number === 2) countTensor(wire, part, census, where, top);
    if (part.number === 3) for (const dimension of wire.numbers(part)) elements *= Math.max(dimension, 0);
  }
  if (elements > MOST_SPARSE_ELEMENTS)
    throw refused(
      `a sparse tensor ${where}, at byte ${field.at}, stands for ${elements} elements, more than an engine can hold`,
      'Export the model again.',
    );
}

function addValue(wire: Wire, field: Field, values: RawValue[]): void {
  values.push(readValue(wire, ...wire.content(field)));
}

function addUse(
  uses: Uses,
  { name, operator, domain, overload }: { name: string; operator: string; domain: string; overload: string },
  at: number,
): void {
  const key = operatorKey(domain, operator, overload);
  const known = uses.get(key);
  if (known !== undefined) {
    known.count += 1;
    return;
  }
  const node = name === '' ? `the node at byte ${at}` : `node ${quoted(name)} (byte ${at})`;
  uses.set(key, { domain, operator, count: 1, node });
  if (uses.size > MOST_OPERATORS)
    throw refused(`it uses more than ${MOST_OPERATORS} operators`, 'Make the model smaller.');
}

/** Refuses more inputs or outputs than a request may have; weights that older exporters list as inputs don't count. */
export function refuseMany(kind: 'inputs' | 'outputs', values: readonly unknown[]): void {
  if (values.length > MOST_VALUES)
    throw refused(`it has ${values.length} ${kind}, and ${MOST_VALUES} are the most`, 'Join some of them.');
}
