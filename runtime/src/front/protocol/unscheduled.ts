import type { Backend } from '@switchback-ml/schemas';
import type { Answer, DecodedRequest, InferenceInput, Reply } from '../../inference/call.ts';

/** A request in a form that has no words for when its answer is wanted. */
export abstract class UnscheduledRequest implements DecodedRequest {
  readonly timeoutMs = null;
  readonly priority = 0;

  abstract read(backend: Backend): InferenceInput;
  abstract print(answer: Answer): Reply;
}
