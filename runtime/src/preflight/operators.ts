import type { Body, Use } from './graph.ts';
import type { ModelSurvey } from './model.ts';
import { quoted, refused } from './refusal.ts';

const STANDARD = '';
/** Newest operator sets, and newest form of the file, of ONNX Runtime 1.30; a test asks it. */
const NEWEST_SETS: Readonly<Record<string, number>> = { [STANDARD]: 26, 'ai.onnx.ml': 5 };
export const NEWEST_IR_VERSION = 13;
/** Nodes when each call of a local function is replaced by the function's nodes, as the engine does. */
const MOST_INLINED_NODES = 1_000_000;
const DEEPEST_CALLS = 64;

export function printDomain(domain: string): string {
  return domain === STANDARD ? 'ai.onnx' : domain;
}

/** Refuses a file, or operator sets, that are newer than the engine. */
export function judgeVersions({ irVersion, operatorSets }: ModelSurvey): void {
  if (irVersion > NEWEST_IR_VERSION)
    throw refused(
      `it is of IR version ${irVersion}, and ONNX Runtime here reads up to ${NEWEST_IR_VERSION}`,
      'Export it with an older exporter, or lower ir_version.',
    );
  for (const { domain, version } of operatorSets) {
    const newest = NEWEST_SETS[domain];
    if (newest === undefined || version <= newest) continue;
    const set = printDomain(domain);
    throw refused(
      `it needs version ${version} of the operators ${set}, and ONNX Runtime here knows up to ${newest}`,
      `Export it with ${domain === STANDARD ? `opset_version=${newest}` : `version ${newest} of ${set}`} or lower.`,
    );
  }
}

/** Refuses operators whose code is not ONNX's own, unless somebody opted for their domain. */
export function judgeDomains({ main, functions }: ModelSurvey, optedIn: readonly string[]): void {
  const allowed = new Set([...Object.keys(NEWEST_SETS), ...optedIn]);
  for (const { uses } of [main, ...functions.values()]) {
    for (const [key, { domain, operator, node }] of uses) {
      if (allowed.has(domain === 'ai.onnx' ? STANDARD : domain) || functions.has(key)) continue;
      throw refused(
        `${node} uses the operator ${quoted(operator)} of ${quoted(domain)}, and only operators of ai.onnx and ai.onnx.ml are run`,
        'Export the model without it: do not save a graph after an optimizer has fused it.',
      );
    }
  }
}

/** Refuses functions that call themselves, or that grow beyond measure when they are inlined. */
export function judgeFunctions({ main, functions }: ModelSurvey): void {
  const sizes = new Map<Body, number>();
  const sizeOf = (body: Body, depth: number): number => {
    const known = sizes.get(body);
    if (known !== undefined) return known;
    if (depth > DEEPEST_CALLS)
      throw refused(
        `its functions call one another more than ${DEEPEST_CALLS} deep, or in a circle`,
        'Export the model with its functions inlined.',
      );
    let size = body.nodes;
    for (const [key, { count }] of body.uses) {
      const called = functions.get(key);
      if (called !== undefined) size += count * sizeOf(called, depth + 1);
    }
    if (size > MOST_INLINED_NODES)
      throw refused(
        `it has more than ${MOST_INLINED_NODES} nodes once its functions are inlined`,
        'Make the model smaller.',
      );
    sizes.set(body, size);
    return size;
  };
  for (const body of [main, ...functions.values()]) sizeOf(body, 0);
}

/** Count by operator, `Conv` or `ai.onnx.ml.Scaler`, without the calls of local functions. */
export function countOperators({ main, functions }: ModelSurvey): ReadonlyMap<string, Use> {
  const counts = new Map<string, Use>();
  for (const { uses } of [main, ...functions.values()]) {
    for (const [key, use] of uses) {
      if (functions.has(key)) continue;
      const name =
        use.domain === STANDARD || use.domain === 'ai.onnx' ? use.operator : `${use.domain}.${use.operator}`;
      const known = counts.get(name);
      counts.set(name, { ...use, count: use.count + (known?.count ?? 0) });
    }
  }
  return counts;
}
