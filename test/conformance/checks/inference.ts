import { isAnswered, sameValues } from '../answers.ts';
import { all, expecting, fail, type Group, type Outcome, PASS, sampled, skipped } from '../check.ts';
import { sampleRows } from '../sample.ts';
import { show } from '../server.ts';
import { infer, pathOf, type Subject } from '../subject.ts';
import { countOf, flat, type InferAnswer, type Output, type Tensor } from '../v2.ts';

export const inference: Group = {
  name: 'Inference in JSON',
  checks: [
    {
      name: 'answers a request made from its own metadata',
      source: 'V2 REST, Inference Response JSON Object',
      look: async ({ reply }) =>
        reply === null
          ? skipped('the metadata tell no inputs to make a request from; give one with --request')
          : isAnswered(reply),
    },
    {
      name: 'names the model that answered',
      source: 'V2 REST, Inference Response JSON Object: model_name',
      look: sampled(async ({ answered, model }) =>
        expecting(answered.model_name === model, `"model_name": "${model}"`, `"${answered.model_name}"`),
      ),
    },
    {
      name: 'answers as many elements as the shape of each output says',
      source: 'V2 REST, Tensor Data',
      look: sampled(async ({ answered }) => areFilled(answered)),
    },
    {
      name: 'answers all outputs where none is asked for, as the metadata describe them',
      source: 'V2 REST, Inference Request JSON Object: outputs; Model Metadata: outputs',
      look: sampled(async ({ answered, outputs }) => areDescribed(answered, outputs)),
    },
    {
      name: 'answers the outputs that were asked for and no other',
      source: 'V2 REST, Inference Request JSON Object: outputs',
      look: sampled(async subject => {
        const { name } = subject.answered.outputs.at(-1)!;
        const answer = await infer(subject, { ...subject.sample, outputs: [{ name }] });
        return isAnswered(answer, ({ outputs }) =>
          expecting(
            outputs.length === 1 && outputs[0]!.name === name,
            `the output "${name}" alone`,
            show(answer),
          ),
        );
      }),
    },
    {
      name: 'gives the id of a request back',
      source: 'V2 REST, Inference Request JSON Object: id',
      look: sampled(async subject => {
        const id = 'a "quoted" id / 1';
        const answer = await infer(subject, { ...subject.sample, id });
        return isAnswered(answer, json =>
          expecting(json.id === id, `"id": ${JSON.stringify(id)}`, show(answer)),
        );
      }),
    },
    {
      name: 'takes data nested to the shape as it takes flat data',
      source: 'V2 REST, Tensor Data: multi-dimensional or flattened',
      look: sampled(async subject => {
        const inputs = subject.sample.inputs.map(input => ({
          ...input,
          data: nested(flat(input.data), input.shape),
        }));
        return sameValues(await infer(subject, { ...subject.sample, inputs }), subject.answered);
      }),
    },
    {
      name: 'takes two rows where the first dimension is open',
      source: 'V2 REST, Request Input: shape and data of the entire batch',
      look: looksAtRows,
    },
    {
      name: 'answers by a version under its own address, and names it',
      source: 'V2 REST, Inference: [/versions/<model_version>]',
      look: sampled(async ({ server, model, versions, sample }) => {
        const [version] = versions;
        if (version === undefined) return skipped('the metadata name no versions');
        const answer = await infer({ server, path: pathOf(model, version) }, sample);
        return isAnswered(answer, ({ model_version: by }) =>
          expecting(by === undefined || by === version, `"model_version": "${version}"`, show(answer)),
        );
      }),
    },
    {
      name: 'invents no id',
      source:
        'V2 REST, Inference Response JSON Object: "the id given in the request, if any"; as Triton does',
      isBeyond: true,
      look: sampled(async ({ answered }) =>
        expecting(answered.id === undefined, 'no "id"', `"id": "${answered.id}"`),
      ),
    },
    {
      name: 'takes its inputs in any order',
      source: 'As Triton does',
      isBeyond: true,
      look: sampled(async subject => {
        const { inputs } = subject.sample;
        if (inputs.length < 2) return skipped('the model has one input');
        const turned = { ...subject.sample, inputs: inputs.toReversed() };
        return sameValues(await infer(subject, turned), subject.answered);
      }),
    },
    {
      name: 'passes over parameters that it does not know',
      source: 'V2 REST, Parameters; as Triton does',
      isBeyond: true,
      look: sampled(async subject => {
        const parameters = { 'x-unknown': 'a', 'x-number': 1, 'x-flag': true };
        const inputs = subject.sample.inputs.map(input => ({ ...input, parameters: { 'x-unknown': 'b' } }));
        return sameValues(await infer(subject, { ...subject.sample, parameters, inputs }), subject.answered);
      }),
    },
  ],
};

async function looksAtRows(subject: Subject): Promise<Outcome> {
  const request = sampleRows(subject.inputs, 2);
  if (request === null) return skipped('no first dimension is open');
  const answer = await infer(subject, request);
  return isAnswered(answer, json => {
    const rows = subject.outputs.filter(({ shape }) => shape[0] === -1).map(({ name }) => name);
    const other = json.outputs.find(({ name, shape }) => rows.includes(name) && shape[0] !== 2);
    return all(areFilled(json), expecting(other === undefined, 'two rows of each output', show(answer)));
  });
}

function areFilled({ outputs }: InferAnswer): Outcome {
  for (const { name, shape, data } of outputs) {
    const got = flat(data).length;
    if (got !== countOf(shape)) return fail(`${countOf(shape)} elements of "${name}" [${shape}]`, `${got}`);
  }
  return PASS;
}

function areDescribed(answered: InferAnswer, described: readonly Tensor[]): Outcome {
  if (described.length === 0) return skipped('the metadata tell no outputs');
  for (const tensor of described) {
    const output = answered.outputs.find(({ name }) => name === tensor.name);
    if (output === undefined)
      return fail(`the output "${tensor.name}"`, JSON.stringify(answered).slice(0, 300));
    if (!isDescribed(output, tensor)) return fail(print(tensor), print(output));
  }
  return expecting(
    answered.outputs.length === described.length,
    `${described.length} outputs`,
    `${answered.outputs.length}`,
  );
}

function isDescribed({ datatype, shape }: Output, tensor: Tensor): boolean {
  const isShape =
    shape.length === tensor.shape.length &&
    shape.every((size, at) => tensor.shape[at] === -1 || tensor.shape[at] === size);
  return datatype === tensor.datatype && isShape;
}

function print({ name, datatype, shape }: Tensor): string {
  return `${name} ${datatype} [${shape.join(', ')}]`;
}

function nested(data: readonly unknown[], shape: readonly number[]): unknown[] {
  const [size = data.length, ...inner] = shape;
  if (inner.length === 0) return [...data];
  const step = countOf(inner);
  return Array.from({ length: size }, (_, at) => nested(data.slice(at * step, (at + 1) * step), inner));
}
