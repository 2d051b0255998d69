import { binarySizeOf, hasStatus, isAnswered, isBlamed, sameValues } from '../answers.ts';
import { type BinaryRequest, inBinary, inferBinary } from '../binary.ts';
import {
  all,
  type Check,
  expecting,
  fail,
  type Group,
  type Outcome,
  PASS,
  sampled,
  skipped,
} from '../check.ts';
import { DATATYPES, toBinary } from '../datatypes.ts';
import { type Answer, headLengthOf, show } from '../server.ts';
import { infer, type Sampled } from '../subject.ts';
import { countOf } from '../v2.ts';

const SOURCE = 'Binary tensor data extension';
const every = () => true;
const none = () => false;

export const binary: Group = {
  name: 'Binary tensors',
  extension: 'binary_tensor_data',
  checks: [
    {
      name: 'takes inputs in binary, and answers in JSON where nothing else was asked',
      source: `${SOURCE}: binary_data_size, binary_data "false (or not given)"`,
      look: sampled(async subject => {
        const answer = await inferBinary(subject, inBinary(subject.sample, every));
        return all(sameValues(answer, subject.answered), isInJson(answer));
      }),
    },
    {
      name: 'answers all outputs in binary where the request says so',
      source: `${SOURCE}: binary_data_output`,
      look: sampled(async subject => {
        const parameters = { binary_data_output: true };
        const answer = await inferBinary(subject, inBinary({ ...subject.sample, parameters }, every));
        return all(isInBinary(answer), sameValues(answer, subject.answered));
      }),
    },
    {
      name: 'answers an output in binary where that output says so, to inputs in JSON too',
      source: `${SOURCE}: binary_data`,
      look: sampled(async subject => {
        const outputs = subject.answered.outputs.map(({ name }) => ({
          name,
          parameters: { binary_data: true },
        }));
        const answer = await infer(subject, { ...subject.sample, outputs });
        return all(isInBinary(answer), sameValues(answer, subject.answered));
      }),
    },
    {
      name: 'lets an output overrule what the request says of all',
      source: `${SOURCE}: binary_data_output, "unless overridden"`,
      look: sampled(async subject => {
        const outputs = subject.answered.outputs.map(({ name }) => ({
          name,
          parameters: { binary_data: false },
        }));
        const overruled = { ...subject.sample, outputs, parameters: { binary_data_output: true } };
        const answer = await inferBinary(subject, inBinary(overruled, every));
        return all(sameValues(answer, subject.answered), isInJson(answer));
      }),
    },
    {
      name: 'takes one input in binary and another in JSON',
      source: `${SOURCE}: "one or more tensors"`,
      look: sampled(async subject => {
        if (subject.sample.inputs.length < 2) return skipped('the model has one input');
        const last = subject.sample.inputs.length - 1;
        return all(
          sameValues(
            await inferBinary(
              subject,
              inBinary(subject.sample, (_, at) => at === 0),
            ),
            subject.answered,
          ),
          sameValues(
            await inferBinary(
              subject,
              inBinary(subject.sample, (_, at) => at === last),
            ),
            subject.answered,
          ),
        );
      }),
    },
    {
      name: 'takes a request whose header counts JSON alone',
      source: `${SOURCE}: Inference-Header-Content-Length`,
      look: sampled(async subject =>
        sameValues(await inferBinary(subject, inBinary(subject.sample, none)), subject.answered),
      ),
    },
    {
      name: 'takes the bytes of its only input and nothing else, as one row',
      source: "Triton's raw binary request: Inference-Header-Content-Length: 0",
      isBeyond: true,
      look: sampled(looksAtRaw),
    },
    bent('a header that is no number', made => [made, 'ten']),
    bent('a header beyond the body', made => [made, '1000000']),
    bent('a negative header', made => [made, '-1']),
    bent('a tensor shorter than it says', ({ request, tensors }) => [
      { request, tensors: tensors.subarray(1) },
    ]),
    bent('bytes that belong to no tensor', ({ request, tensors }) => [
      { request, tensors: Buffer.concat([tensors, Buffer.of(0)]) },
    ]),
    bent('a size that is not that of the shape', ({ request, tensors }) => {
      const [first, ...rest] = request.inputs;
      const size = Number(first!.parameters?.['binary_data_size']) + 1;
      const inputs = [{ ...first!, parameters: { binary_data_size: size } }, ...rest];
      return [{ request: { ...request, inputs }, tensors: Buffer.concat([Buffer.of(0), tensors]) }];
    }),
  ],
};

function bent(what: string, bend: (made: BinaryRequest) => [BinaryRequest, string?]): Check {
  return {
    name: `refuses ${what} as the caller's fault`,
    source: 'As Triton does',
    isBeyond: true,
    look: sampled(async subject =>
      isBlamed(await inferBinary(subject, ...bend(inBinary(subject.sample, every)))),
    ),
  };
}

async function looksAtRaw({ server, path, sample, answered }: Sampled): Promise<Outcome> {
  const [input, ...rest] = sample.inputs;
  if (input === undefined || rest.length > 0) return skipped('the model has several inputs');
  const answer = await server.ask(`${path}/infer`, {
    method: 'POST',
    headers: { 'content-type': 'application/octet-stream', 'inference-header-content-length': '0' },
    body: input.datatype === 'BYTES' ? '1' : toBinary(input),
  });
  return all(hasStatus(answer, 200), isInBinary(answer), sameValues(answer, answered));
}

function isInJson(answer: Answer): Outcome {
  return isAnswered(answer, ({ outputs }) =>
    expecting(
      headLengthOf(answer.headers) === null && outputs.every(output => binarySizeOf(output) === null),
      'JSON alone, without the header Inference-Header-Content-Length',
      show(answer),
    ),
  );
}

function isInBinary(answer: Answer): Outcome {
  return isAnswered(answer, ({ outputs }) => {
    if (headLengthOf(answer.headers) === null)
      return fail('the header Inference-Header-Content-Length', show(answer));
    for (const output of outputs) {
      const [size, element] = [binarySizeOf(output), DATATYPES[output.datatype]];
      const due = element === null || element === undefined ? null : element * countOf(output.shape);
      if (size === null || (due !== null && size !== due))
        return fail(`"binary_data_size" of "${output.name}"${due === null ? '' : `: ${due}`}`, show(answer));
      if (output.data !== undefined) return fail(`no "data" of "${output.name}"`, show(answer));
    }
    return PASS;
  });
}
