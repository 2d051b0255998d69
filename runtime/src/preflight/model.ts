import {
  type Body,
  type Census,
  operatorKey,
  readAttribute,
  readGraph,
  readNode,
  type TopGraph,
} from './graph.ts';
import { refused } from './refusal.ts';
import { type Field, type Wire, WireError } from './wire.ts';

const MOST_FUNCTIONS = 10_000;
const MOST_IMPORTS = 1000;

export interface OperatorSet {
  domain: string;
  version: number;
}

/** A ModelProto as it stands in the file, not judged yet. */
export interface ModelSurvey {
  irVersion: number;
  operatorSets: OperatorSet[];
  census: Census;
  main: Body;
  top: TopGraph;
  /** Local functions by the key that nodes call them by. */
  functions: Map<string, Body>;
}

/** Throws a WireError where the bytes are no ModelProto, and E_MODEL_LOAD for what no engine may open. */
export function readModel(wire: Wire): ModelSurvey {
  const survey: ModelSurvey = {
    irVersion: 0,
    operatorSets: [],
    census: { nodes: 0, tensors: 0, weightsBytes: 0 },
    main: { uses: new Map(), nodes: 0 },
    top: { inputs: [], outputs: [], initializers: new Set() },
    functions: new Map(),
  };
  const { census, main, top } = survey;
  let hasGraph = false;
  for (const field of wire.fields(0, wire.sizeBytes)) {
    if (field.number === 1) survey.irVersion = wire.number(field);
    if (field.number === 7) {
      hasGraph = true;
      readGraph(wire, field, { census, body: main, top, depth: 0 });
    }
    if (field.number === 8) addOperatorSet(wire, field, survey.operatorSets);
    if (field.number === 25) addFunction(wire, field, survey);
  }
  if (!hasGraph) throw new WireError('it holds no graph');
  return survey;
}

function addOperatorSet(wire: Wire, field: Field, sets: OperatorSet[]): void {
  const set: OperatorSet = { domain: '', version: 0 };
  for (const part of wire.fields(...wire.content(field))) {
    if (part.number === 1) set.domain = wire.text(part);
    if (part.number === 2) set.version = wire.number(part);
  }
  sets.push({ ...set, domain: set.domain === 'ai.onnx' ? '' : set.domain });
  if (sets.length > MOST_IMPORTS)
    throw refused(`it imports more than ${MOST_IMPORTS} operator sets`, 'Export the model again.');
}

function addFunction(wire: Wire, field: Field, { census, functions, operatorSets }: ModelSurvey): void {
  const body: Body = { uses: new Map(), nodes: 0 };
  let name = '';
  let domain = '';
  let overload = '';
  for (const part of wire.fields(...wire.content(field))) {
    if (part.number === 1) name = wire.text(part);
    if (part.number === 7) readNode(wire, part, { census, body, depth: 0 });
    if (part.number === 9) addOperatorSet(wire, part, operatorSets);
    if (part.number === 10) domain = wire.text(part);
    if (part.number === 11) readAttribute(wire, part, { census, body, depth: 0 }, field.at);
    if (part.number === 13) overload = wire.text(part);
  }
  functions.set(operatorKey(domain, name, overload), body);
  if (functions.size > MOST_FUNCTIONS)
    throw refused(`it has more than ${MOST_FUNCTIONS} functions`, 'Export the model with them inlined.');
}
