import { type Breakage, editJson, type Passing, type Reply } from './broken.fixture.ts';

const EMPTY: Reply = { status: 200, headers: {}, body: Buffer.alloc(0) };

const replyTo =
  (path: RegExp, change: (reply: Reply, request: Passing) => Reply): NonNullable<Breakage['say']> =>
  (reply, request) =>
    path.test(request.path) ? change(reply, request) : reply;

const jsonOf = (
  path: RegExp,
  edit: (json: Record<string, unknown>) => unknown,
): NonNullable<Breakage['say']> => replyTo(path, editJson(edit));

const outputsOf = (json: Record<string, unknown>): Record<string, unknown>[] =>
  Array.isArray(json['outputs']) ? json['outputs'] : [];

/** Edits what was asked of inference, as if a part of it had not been read. */
const deafTo = (edit: (request: Record<string, unknown>) => unknown): NonNullable<Breakage['hear']> =>
  function hear(request) {
    if (!request.path.endsWith('/infer')) return request;
    const edited = editJson(edit)({ status: 200, headers: request.headers, body: request.body });
    return { ...request, headers: edited.headers, body: edited.body };
  };

const without = (key: string): ((json: Record<string, unknown>) => unknown) => {
  return ({ [key]: _, ...rest }) => rest;
};

const failing = (path: RegExp): Breakage => ({ say: replyTo(path, reply => ({ ...reply, status: 404 })) });
const mute = (path: RegExp): Breakage => ({
  say: replyTo(path, reply => (reply.status >= 400 ? editJson(without('error'))(reply) : reply)),
});

const isBinary = ({ headers }: Passing): boolean => headers['inference-header-content-length'] !== undefined;

/**
 * For each check that the specification asks for, a server that does just that wrong. The key is the sentence of the
 * check that has to find it.
 */
export const BREAKAGES: Readonly<Record<string, Breakage>> = {
  'says that it is live with 200': failing(/health\/live$/),
  'says that it is ready with 200': failing(/health\/ready$/),
  'says that the model is ready with 200': failing(/ratio\/ready$/),
  'says that a version is ready under its own address': failing(/versions\/1\.0\.0\/ready$/),
  'does not say that a model is ready that is not there': {
    say: replyTo(/no-such-model\/ready$/, () => EMPTY),
  },
  'tells its name, version and extensions': { say: jsonOf(/^\/v2\/?$/, without('version')) },
  "tells the model's name, platform, inputs and outputs": { say: jsonOf(/ratio$/, without('platform')) },
  'names datatypes of the protocol alone': {
    say: jsonOf(/ratio$/, json => ({
      ...json,
      outputs: outputsOf(json).map(output => ({ ...output, datatype: 'float32' })),
    })),
  },
  'tells of each version that it lists under its own address': failing(/versions\/1\.1\.0$/),
  'says why in "error" where there is no such model': mute(/no-such-model$/),
  'says why in "error" where there is no such version': mute(/no-such-version$/),
  'answers a request made from its own metadata': failing(/infer$/),
  'names the model that answered': { say: jsonOf(/infer$/, json => ({ ...json, model_name: 'other' })) },
  'answers as many elements as the shape of each output says': {
    say: jsonOf(/infer$/, json => ({
      ...json,
      ...(json['outputs'] !== undefined && {
        outputs: outputsOf(json).map(output => ({ ...output, data: [...((output['data'] as []) ?? []), 1] })),
      }),
    })),
  },
  'answers all outputs where none is asked for, as the metadata describe them': {
    say: jsonOf(/infer$/, json => ({
      ...json,
      ...(json['outputs'] !== undefined && {
        outputs: outputsOf(json).map(output => ({ ...output, datatype: 'FP64' })),
      }),
    })),
  },
  'answers the outputs that were asked for and no other': {
    say: (reply, request) =>
      /"outputs":\[\{"name":"ratio"\}\]/.test(request.body.toString())
        ? editJson(json => ({ ...json, outputs: outputsOf(json).concat(outputsOf(json)) }))(reply)
        : reply,
  },
  'gives the id of a request back': { hear: deafTo(without('id')) },
  'takes data nested to the shape as it takes flat data': {
    say: (reply, { body }) => (body.includes('[[') ? { ...reply, status: 400 } : reply),
  },
  'takes two rows where the first dimension is open': {
    say: (reply, { body }) => (body.includes('"shape":[2,1]') ? { ...reply, status: 400 } : reply),
  },
  'answers by a version under its own address, and names it': {
    say: jsonOf(/versions\/1\.0\.0\/infer$/, json => ({ ...json, model_version: '1.1.0' })),
  },
  'says why in "error" where a body is no JSON': {
    say: (reply, { body }) =>
      body.toString() === '{"inputs": ['
        ? { ...reply, status: 422, body: Buffer.from('{"detail": []}') }
        : reply,
  },
  'says why in "error" where a request has no inputs': {
    say: (reply, { body }) => (body.toString() === '{"id":"none"}' ? { ...EMPTY, status: 400 } : reply),
  },
  'says why in "error" where a request is for a model that is not there': mute(/no-such-model\/infer$/),
  'takes inputs in binary, and answers in JSON where nothing else was asked': {
    hear: request => {
      if (!isBinary(request) || request.body.includes('binary_data_output')) return request;
      const all = { parameters: { binary_data_output: true } };
      return deafTo(json => ({ ...json, ...all }))(request);
    },
  },
  'answers all outputs in binary where the request says so': { hear: deafTo(without('parameters')) },
  'answers an output in binary where that output says so, to inputs in JSON too': {
    hear: request => (isBinary(request) ? request : deafTo(without('outputs'))(request)),
  },
  'lets an output overrule what the request says of all': {
    hear: request => (isBinary(request) ? deafTo(without('outputs'))(request) : request),
  },
  'takes one input in binary and another in JSON': {
    say: (reply, { body, headers }) =>
      headers['inference-header-content-length'] !== undefined && body.includes('"data"')
        ? { ...reply, status: 400 }
        : reply,
  },
  'takes a request whose header counts JSON alone': {
    say: (reply, { body, headers }) =>
      headers['inference-header-content-length'] === String(body.length) ? { ...reply, status: 400 } : reply,
  },
  'lists its models, this one among them': {
    say: (reply, { path, body }) =>
      path.endsWith('/index') && body.toString() === '{}'
        ? editJson(() => [{ name: 'other', state: 'READY' }])(reply)
        : reply,
  },
  'lists those that are ready alone where that is asked': {
    say: (reply, { path, body }) =>
      path.endsWith('/index') && body.includes('ready')
        ? editJson(list => [...(list as never as object[]), { name: 'other', state: 'UNAVAILABLE' }])(reply)
        : reply,
  },
  'says why in "error" where it can not load what is not there': { say: replyTo(/\/load$/, () => EMPTY) },
  'tells what it counted of the model': { say: jsonOf(/ratio\/stats$/, () => ({ model_stats: [] })) },
  'tells what it counted of all models': failing(/models\/stats$/),
  'counts each request that it answered': {
    say: jsonOf(/ratio\/stats$/, () => ({ model_stats: [{ name: 'ratio', version: '1.0.0' }] })),
  },
  "tells the model's configuration": { say: jsonOf(/config$/, json => ({ ...json, input: [] })) },
  'says why in "error" where there is no such model to configure': mute(/no-such-model\/config$/),
  'answers the highest element of an output with its index': {
    say: jsonOf(/infer$/, json => ({
      ...json,
      ...(json['outputs'] !== undefined && {
        outputs: outputsOf(json).map(({ data, ...output }) =>
          output['datatype'] === 'BYTES'
            ? { ...output, data: ['highest'] }
            : { ...output, ...(data !== undefined && { data }) },
        ),
      }),
    })),
  },
  'answers a request that has a priority and a timeout': {
    say: (reply, { body }) => (body.includes('"priority"') ? { ...reply, status: 400 } : reply),
  },
  'answers a request that has parameters of its own': {
    say: (reply, { body }) => (body.includes('"tenant"') ? { ...reply, status: 400 } : reply),
  },
};
