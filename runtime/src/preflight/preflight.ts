import type { SwitchbackError } from '../error.ts';
import { recogniseForeign, TELLING_BYTES } from './foreign.ts';
import { refuseMany } from './graph.ts';
import { type ModelSurvey, readModel } from './model.ts';
import { type ModelFile, openModelFile } from './model-file.ts';
import {
  countOperators,
  judgeDomains,
  judgeFunctions,
  judgeVersions,
  NEWEST_IR_VERSION,
  printDomain,
} from './operators.ts';
import { refused } from './refusal.ts';
import { type DeclaredValue, judgeValues } from './value.ts';
import { Wire, WireError } from './wire.ts';

const AGAIN = 'Export the model again, or copy it again.';

/** What a graph is, by its file alone. */
export interface GraphFacts {
  irVersion: number;
  /** Version by domain. */
  operatorSets: Record<string, number>;
  /** Count by operator. */
  operators: Record<string, number>;
  inputs: DeclaredValue[];
  outputs: DeclaredValue[];
  nodes: number;
  weightsBytes: number;
}

/**
 * Looks at a model file before anything opens it, and throws E_MODEL_LOAD, with the place and the remedy, for what
 * may not be opened. Reads structure, never weights; blocks its thread, so it belongs into a process that may be
 * killed. `domains`: of operators beyond ONNX's own that the caller opted for.
 */
export function preflight(path: string, domains: readonly string[] = []): GraphFacts {
  using file = openModelFile(path);
  const survey = read(file);
  judgeVersions(survey);
  judgeDomains(survey, domains);
  judgeFunctions(survey);
  return describe(survey);
}

function read(file: ModelFile): ModelSurvey {
  if (file.sizeBytes === 0) throw refused('it is empty', AGAIN);
  try {
    return readModel(new Wire(file));
  } catch (error) {
    throw error instanceof WireError ? unreadable(file, error) : error;
  }
}

/** Says what it is instead, as far as its first bytes tell. */
function unreadable(file: ModelFile, { message, isTruncated }: WireError): SwitchbackError {
  const beginning = Buffer.alloc(Math.min(TELLING_BYTES, file.sizeBytes));
  file.read(beginning, 0);
  const foreign = recogniseForeign(beginning);
  if (foreign !== null) return refused(`it is ${foreign.what}`, foreign.remedy);
  if (isTruncated && beginsLikeOnnx(beginning))
    return refused(`it is cut short or damaged: ${message}, and the file has ${file.sizeBytes} bytes`, AGAIN);
  return refused(`it is not ONNX: ${message}`, AGAIN);
}

/** Every exporter writes the version of the format first: field 1, a small number. */
function beginsLikeOnnx(beginning: Buffer): boolean {
  return beginning[0] === 8 && (beginning[1] ?? 0) > 0 && (beginning[1] ?? 0) <= NEWEST_IR_VERSION;
}

function describe(survey: ModelSurvey): GraphFacts {
  const { top, census, irVersion, operatorSets } = survey;
  const inputs = top.inputs.filter(({ name }) => !top.initializers.has(name));
  refuseMany('inputs', inputs);
  refuseMany('outputs', top.outputs);
  return {
    irVersion,
    operatorSets: Object.fromEntries(
      operatorSets.map(({ domain, version }) => [printDomain(domain), version]),
    ),
    operators: Object.fromEntries([...countOperators(survey)].map(([name, { count }]) => [name, count])),
    ...judgeValues(inputs, top.outputs),
    nodes: census.nodes,
    weightsBytes: census.weightsBytes,
  };
}
