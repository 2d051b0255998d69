import type { Signature, TensorSpec } from '@switchback-ml/schemas';

/** How the graph differs from what was declared, in one clause; null when it doesn't. */
export function signatureDifference(declared: Signature, graph: Signature): string | null {
  return (
    partDifference('input', declared.inputs, graph.inputs) ??
    partDifference('output', declared.outputs, graph.outputs)
  );
}

function partDifference(
  kind: string,
  declared: Record<string, TensorSpec>,
  graph: Record<string, TensorSpec>,
): string | null {
  for (const [name, spec] of Object.entries(declared)) {
    const found = graph[name];
    if (found === undefined) return `the graph has no ${kind} "${name}"`;
    if (print(spec) !== print(found))
      return `${kind} "${name}" is declared as ${print(spec)} and is ${print(found)} in the graph`;
  }
  const extra = Object.keys(graph).find(name => declared[name] === undefined);
  return extra === undefined ? null : `the graph has an undeclared ${kind} "${extra}"`;
}

export function print({ datatype, shape }: TensorSpec): string {
  return `${datatype} [${shape.join(', ')}]`;
}

/** Whether the graph takes any number of rows, and gives one back for each. */
export function isBatchable({ inputs, outputs }: Signature): boolean {
  return [...Object.values(inputs), ...Object.values(outputs)].every(spec => spec.shape[0] === -1);
}
