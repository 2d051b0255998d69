import {
  type Datatype,
  GoldenAnswers,
  type GoldenTensor,
  type Problem,
  type Signature,
  type TensorSpec,
} from '@switchback-ml/schemas';

const MOST_FLAWS = 5;
const LONGEST_FIELD = 120;
const FORM =
  'docs/reference/manifests.md shows its form: {"inputs": {"<name>": {"datatype", "shape", "data"}}, "outputs": …}.';

interface Flaw {
  field: string;
  message: string;
  remedy: string;
}

/** What is wrong with golden answers as a file, and beside the signature; what the graph answers is another matter. */
export function goldenProblems(path: string, text: string, signature: Signature): Problem[] {
  return flawsIn(text, signature)
    .slice(0, MOST_FLAWS)
    .map(({ field, message, remedy }) => ({
      code: 'E_MODEL_GOLDEN',
      severity: 'error',
      path,
      ...(field === '' ? {} : { field }),
      message: `${path} ${field === '' ? '' : `${field}: `}${message}`,
      remedy,
    }));
}

function flawsIn(text: string, signature: Signature): Flaw[] {
  const value = parse(text);
  if (value === undefined) return [{ field: '', message: 'is no JSON', remedy: FORM }];
  const read = GoldenAnswers.safeParse(value);
  if (!read.success)
    return read.error.issues.map(issue => ({
      field: issue.path.map(String).join('.').slice(0, LONGEST_FIELD),
      message: issue.message.replace(/^Invalid input: /, '').slice(0, LONGEST_FIELD),
      remedy: FORM,
    }));
  const { inputs, outputs } = read.data;
  return [
    ...missing('inputs', inputs, signature.inputs),
    ...against('inputs', inputs, signature.inputs),
    ...(Object.values(outputs).some(({ data }) => data.length > 0)
      ? []
      : [
          {
            field: 'outputs',
            message: 'holds no answer',
            remedy: `Give those of: ${namesOf(signature.outputs)}.`,
          },
        ]),
    ...against('outputs', outputs, signature.outputs),
  ];
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

type Part = 'inputs' | 'outputs';
type Tensors = Readonly<Record<string, GoldenTensor>>;
type Specs = Signature[Part];

const namesOf = (specs: Specs): string => Object.keys(specs).slice(0, 5).join(', ');

function missing(part: Part, tensors: Tensors, specs: Specs): Flaw[] {
  return Object.keys(specs)
    .filter(name => !Object.hasOwn(tensors, name))
    .map(name => ({
      field: part,
      message: `has no "${name}", which version.yaml declares`,
      remedy: 'Tensors are named as in the signature, and every input is there.',
    }));
}

function against(part: Part, tensors: Tensors, specs: Specs): Flaw[] {
  return Object.entries(tensors).flatMap(([name, tensor]) => {
    const spec = Object.hasOwn(specs, name) ? specs[name] : undefined;
    const field = `${part}.${name}`;
    if (spec) return tensorFlaw(field, tensor, spec) ?? [];
    const there = `The signature in version.yaml has: ${namesOf(specs)}.`;
    return [{ field, message: 'is not in the signature of version.yaml', remedy: there }];
  });
}

function tensorFlaw(field: string, { datatype, shape, data }: GoldenTensor, spec: TensorSpec): Flaw | null {
  const declared = `${spec.datatype} [${spec.shape.join(', ')}]`;
  const remedy = `version.yaml declares ${declared}; -1 is the number of rows that are here.`;
  if (datatype !== spec.datatype)
    return { field: `${field}.datatype`, message: `is ${datatype} and not ${spec.datatype}`, remedy };
  const isFit =
    shape.length === spec.shape.length &&
    shape.every((size, at) => spec.shape[at] === -1 || spec.shape[at] === size);
  if (!isFit) return { field: `${field}.shape`, message: `[${shape.join(', ')}] is not ${declared}`, remedy };
  const count = shape.reduce((product, size) => product * size, 1);
  if (count !== data.length)
    return {
      field: `${field}.data`,
      message: `has ${data.length} values, and shape [${shape.join(', ')}] asks for ${count}`,
      remedy: 'It is flat, row after row.',
    };
  const wrong = data.findIndex(value => !isOf(datatype, value));
  if (wrong < 0) return null;
  const said = JSON.stringify(data[wrong])?.slice(0, 40);
  return { field: `${field}.data.${wrong}`, message: `is ${said}, which is no ${datatype}`, remedy };
}

function isOf(datatype: Datatype, value: GoldenTensor['data'][number]): boolean {
  if (datatype === 'BYTES') return typeof value === 'string';
  if (datatype === 'BOOL') return typeof value === 'boolean' || value === 0 || value === 1;
  if (typeof value !== 'number') return false;
  return datatype.startsWith('FP') || Number.isSafeInteger(value);
}
