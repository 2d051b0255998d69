import type { HostileInputs } from './entry.ts';

const FILE = 'runtime/src/preflight/model-file.test.ts';
const GRAPH = 'runtime/src/preflight/preflight.test.ts';
const OPERATORS = 'runtime/src/preflight/operators.test.ts';
const PREPARE = 'runtime/src/loading/prepare.test.ts';
const SERVING = 'runtime/src/preflight/serving.test.ts';

/** Model files: what preflight says of each, and what limits and golden answers end. */
export const models: HostileInputs = {
  O01: { what: 'an empty file', file: FILE, tests: ["['empty', '', 'it is empty']"] },
  O02: {
    what: 'random bytes',
    file: FILE,
    tests: [
      'of random bytes is refused, never misread and never dwelt on',
      'of a graph with bytes changed, taken out or put in is judged or refused in good time',
    ],
  },
  O03: { what: 'a file that is cut short', file: SERVING, tests: ['that is cut short'] },
  O04: { what: 'an LFS pointer', file: FILE, tests: ['an LFS pointer'] },
  O05: {
    what: 'weights in other files: absolute, climbing out, absent, at a wrong place',
    file: OPERATORS,
    tests: ['are refused, by %s', 'are refused inside a node, and inside a function'],
  },
  O06: {
    what: 'operators that are newer than the engine',
    file: GRAPH,
    tests: ['%s are known up to the one that ONNX Runtime knows'],
  },
  O07: {
    what: 'operators of another domain',
    file: SERVING,
    tests: [
      'with an operator that is not ONNX',
      '%s never serves: last good does, and the other models go on',
    ],
  },
  O08: { what: 'graphs nested deep', file: GRAPH, tests: ['are refused %i deep'] },
  O09: {
    what: 'a loop of billions',
    file: PREPARE,
    tests: ['ends a loop of billions by a deadline, at %s'],
  },
  O10: {
    what: 'bombs of memory',
    file: PREPARE,
    tests: ['ends a bomb of memory by the limit, %s', 'while the graph is opened', 'by Expand', 'by Tile'],
  },
  O11: {
    what: 'inputs and outputs that were not declared',
    file: PREPARE,
    tests: ['refuses a graph with %s that was not declared'],
  },
  O12: {
    what: 'dimensions that overflow, are negative or zero, or do not fit the bytes',
    file: GRAPH,
    tests: ['beyond all files', 'of an input: negative', 'of an input: zero', 'for other bytes'],
  },
  O13: {
    what: 'answers that are not finite',
    file: PREPARE,
    tests: ['refuses a NaN among the answers, whatever the tolerance'],
  },
  O14: {
    what: 'answers that hang on chance',
    file: PREPARE,
    tests: [
      'refuses answers that hang on chance',
      'refuses answers that hang on the rows beside them, though each batch answers as it did',
    ],
  },
  O15: {
    what: 'a file beyond the limit of protobuf',
    file: FILE,
    tests: ['and of more than two gigabytes is refused unread'],
  },
  O16: {
    what: 'a pickle, a zip archive, safetensors and others under the name of ONNX',
    file: FILE,
    tests: ['is named for what it is: %s', 'a pickle, which runs code', 'weights without a graph'],
  },
};
