import { hasStatus, isAnswered, isBlamed, isRefused } from '../answers.ts';
import { all, type Check, type Group, sampled, skipped } from '../check.ts';
import { rangeOf } from '../datatypes.ts';
import { infer, type Sampled } from '../subject.ts';
import { flat, type InferRequest, type Input } from '../v2.ts';

const ERROR_OBJECT = 'V2 REST, Inference Response JSON Error Object';

export const refusals: Group = {
  name: 'Refusals',
  checks: [
    {
      name: 'says why in "error" where a body is no JSON',
      source: ERROR_OBJECT,
      look: async subject => isRefused(await post(subject.server, subject.path, '{"inputs": [')),
    },
    {
      name: 'says why in "error" where a request has no inputs',
      source: `${ERROR_OBJECT}; Inference Request JSON Object: inputs`,
      look: async subject => isRefused(await infer(subject, { id: 'none' })),
    },
    {
      name: 'says why in "error" where a request is for a model that is not there',
      source: ERROR_OBJECT,
      look: async ({ server, sample }) =>
        isRefused(await infer({ server, path: '/v2/models/no-such-model' }, sample ?? { inputs: [] })),
    },
    {
      name: 'blames the caller for a body that is no JSON',
      source: 'V2 REST: "typically 400"',
      isBeyond: true,
      look: async subject => isBlamed(await post(subject.server, subject.path, '{"inputs": [')),
    },
    {
      name: 'answers 400 for a request without inputs',
      source: 'V2 REST: "typically 400"',
      isBeyond: true,
      look: async subject => hasStatus(await infer(subject, { id: 'none' }), 400),
    },
    {
      name: 'answers 404 for a model that is not there',
      source: "As KServe and MLServer do; Triton's may be 400",
      isBeyond: true,
      look: async ({ server, sample }) =>
        hasStatus(await infer({ server, path: '/v2/models/no-such-model' }, sample ?? { inputs: [] }), 404),
    },
    refused('an input of another name', ({ sample }) => changed(sample, { name: 'no-such-input' })),
    refused('an input too few', ({ sample }) => ({ ...sample, inputs: sample.inputs.slice(1) })),
    refused('an input too many', ({ sample }) => ({
      ...sample,
      inputs: [...sample.inputs, { ...sample.inputs[0]!, name: 'one-too-many' }],
    })),
    refused('an input that is there twice', ({ sample }) => ({
      ...sample,
      inputs: [...sample.inputs, sample.inputs[0]!],
    })),
    refused('another datatype', ({ sample }) =>
      changed(sample, { datatype: sample.inputs[0]!.datatype === 'BOOL' ? 'FP64' : 'BOOL' }),
    ),
    refused('a datatype that does not exist', ({ sample }) => changed(sample, { datatype: 'FLOAT32' })),
    refused('a dimension too many', ({ sample }) =>
      changed(sample, { shape: [...sample.inputs[0]!.shape, 1] }),
    ),
    refused('fewer elements than the shape says', ({ sample }) =>
      changed(sample, { data: flat(sample.inputs[0]!.data).slice(1) }),
    ),
    refused('more elements than the shape says', ({ sample }) => {
      const data = flat(sample.inputs[0]!.data);
      return changed(sample, { data: [...data, data[0]] });
    }),
    refused('a negative dimension', ({ sample }) => changed(sample, { shape: [-1] })),
    refused('a dimension of 2^62', ({ sample }) => changed(sample, { shape: [2 ** 62, 4] })),
    refused('null for an element', ({ sample }) => withElement(sample, null)),
    refused('text for a number', ({ sample }) => (isNumber(sample) ? withElement(sample, 'one') : null)),
    refused('a number beyond the datatype', ({ sample }) => {
      const range = rangeOf(sample.inputs[0]!.datatype);
      return range === null ? null : withElement(sample, Number(range.high) * 4 + 1);
    }),
    refused('an output of another name', ({ sample }) => ({
      ...sample,
      outputs: [{ name: 'no-such-output' }],
    })),
    {
      name: 'still answers after all of these',
      source: 'V2 REST, Server Live: "able to receive and respond"',
      look: sampled(async subject =>
        all(
          hasStatus(await subject.server.ask('/v2/health/live'), 200),
          isAnswered(await infer(subject, subject.sample)),
        ),
      ),
    },
  ],
};

/** Null where the model offers nothing to do it with. */
function refused(what: string, change: (subject: Sampled) => InferRequest | null): Check {
  return {
    name: `refuses ${what} as the caller's fault`,
    source: "Switchback's own: stricter (H08, H10, H11)",
    isBeyond: true,
    look: sampled(async subject => {
      const request = change(subject);
      return request === null
        ? skipped('the first input has another datatype')
        : isBlamed(await infer(subject, request));
    }),
  };
}

function changed(sample: InferRequest, change: Partial<Input>): InferRequest {
  const [first, ...rest] = sample.inputs;
  return { ...sample, inputs: [{ ...first!, ...change }, ...rest] };
}

/** In place of the first one. */
function withElement(sample: InferRequest, element: unknown): InferRequest {
  return changed(sample, { data: [element, ...flat(sample.inputs[0]!.data).slice(1)] });
}

function isNumber({ inputs }: InferRequest): boolean {
  return inputs[0]!.datatype !== 'BYTES' && inputs[0]!.datatype !== 'BOOL';
}

function post(server: Sampled['server'], path: string, body: string): ReturnType<Sampled['server']['ask']> {
  return server.ask(`${path}/infer`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
}
