import type { Backend } from '@switchback-ml/schemas';
import type { Answer, DecodedRequest, InferenceInput, Reply } from '../../../inference/call.ts';
import { type GivenTensor, readTensors } from '../tensors/given.ts';
import { refuseUnanswerable } from './asked.ts';
import { printResponse } from './response.ts';
import type { AskedHttpOutput, Said } from './said.ts';

/**
 * What a body says, to be answered. Whoever reads the body may fill it in, and nobody after. Its tensors are not yet
 * read: what they must be depends on the revision that answers.
 */
export class V2Request implements DecodedRequest, Said {
  id: string | undefined;
  timeoutMs: number | null;
  priority: number;
  inputs: readonly GivenTensor[];
  outputs: readonly AskedHttpOutput[] | null;
  isBinary: boolean;

  constructor(said: Said) {
    this.id = said.id;
    this.timeoutMs = said.timeoutMs;
    this.priority = said.priority;
    this.inputs = said.inputs;
    this.outputs = said.outputs;
    this.isBinary = said.isBinary;
  }

  read(backend: Backend): InferenceInput {
    if (this.outputs !== null) refuseUnanswerable(this.outputs, backend);
    return readTensors(this.inputs, backend);
  }

  print(answer: Answer): Reply {
    return printResponse(this, answer);
  }
}
