import { hasStatus, isAnswered, isBlamed, isRefused, sameValues } from '../answers.ts';
import { all, expecting, type Group, type Outcome, sampled, skipped } from '../check.ts';
import { type Answer, type Server, show } from '../server.ts';
import { infer, type Sampled } from '../subject.ts';
import { flat, isObject } from '../v2.ts';

const JSON_TYPE = { 'content-type': 'application/json' };

export const repository: Group = {
  name: 'Model repository',
  extension: 'model_repository',
  checks: [
    {
      name: 'lists its models, this one among them',
      source: 'Model repository extension, Index',
      async look({ server, model }) {
        const answer = await index(server, '{}');
        return all(isIndex(answer), lists(answer, model));
      },
    },
    {
      name: 'lists those that are ready alone where that is asked',
      source: 'Model repository extension, Index: ready',
      async look({ server, model }) {
        const answer = await index(server, '{"ready": true}');
        const entries = Array.isArray(answer.json) ? answer.json : [];
        const areReady = entries.every(entry => isObject(entry) && entry['state'] === 'READY');
        return all(
          isIndex(answer),
          lists(answer, model),
          expecting(areReady, 'state READY alone', show(answer)),
        );
      },
    },
    {
      name: 'says why in "error" where it can not load what is not there',
      source: 'Model repository extension, Load',
      look: async ({ server }) =>
        isRefused(
          await server.ask('/v2/repository/models/no-such-model/load', {
            method: 'POST',
            headers: JSON_TYPE,
            body: '{}',
          }),
        ),
    },
    {
      name: 'lists its models to who sends no body',
      source: 'As tritonclient did for long',
      isBeyond: true,
      look: async ({ server }) => isIndex(await server.ask('/v2/repository/index', { method: 'POST' })),
    },
  ],
};

export const statistics: Group = {
  name: 'Statistics',
  extension: 'statistics',
  checks: [
    {
      name: 'tells what it counted of the model',
      source: 'Statistics extension',
      look: async ({ server, path, model }) => areStatistics(await server.ask(`${path}/stats`), model),
    },
    {
      name: 'tells what it counted of all models',
      source: 'Statistics extension: v2/models/stats',
      look: async ({ server, model }) => areStatistics(await server.ask('/v2/models/stats'), model),
    },
    {
      name: 'counts each request that it answered',
      source: 'Statistics extension: inference_stats.success.count',
      look: sampled(async subject => {
        const before = await successes(subject);
        const answer = await infer(subject, subject.sample);
        const after = await successes(subject);
        return all(hasStatus(answer, 200), expecting(after > before, `more than ${before}`, String(after)));
      }),
    },
  ],
};

export const configuration: Group = {
  name: 'Model configuration',
  extension: 'model_configuration',
  checks: [
    {
      name: "tells the model's configuration",
      source: 'Model configuration extension',
      async look({ server, path, model, inputs }) {
        const answer = await server.ask(`${path}/config`);
        const { name, max_batch_size: most, input } = isObject(answer.json) ? answer.json : {};
        const told = (Array.isArray(input) ? input : []).map(entry => isObject(entry) && entry['name']);
        return all(
          hasStatus(answer, 200),
          expecting(name === model, `"name": "${model}"`, show(answer)),
          expecting(Number.isSafeInteger(most), '"max_batch_size", a whole number', show(answer)),
          expecting(
            inputs.every(({ name }) => told.includes(name)),
            `inputs ${inputs.map(({ name }) => name).join(', ')}`,
            show(answer),
          ),
        );
      },
    },
    {
      name: 'says why in "error" where there is no such model to configure',
      source: 'Model configuration extension',
      look: async ({ server }) => isRefused(await server.ask('/v2/models/no-such-model/config')),
    },
  ],
};

export const classification: Group = {
  name: 'Classification',
  extension: 'classification',
  checks: [
    {
      name: 'answers the highest element of an output with its index',
      source: 'Classification extension: "<value>:<index>[:<label>]"',
      look: sampled(async subject => {
        const output = subject.answered.outputs.find(({ datatype }) => /^(FP|INT|UINT)/.test(datatype));
        if (output === undefined) return skipped('no output is of numbers');
        const outputs = [{ name: output.name, parameters: { classification: 1 } }];
        const answer = await infer(subject, { ...subject.sample, outputs });
        return isAnswered(answer, json => {
          const classes = flat(json.outputs[0]?.data);
          const areClasses =
            classes.length > 0 && classes.every(text => /^[^:]+:\d+(:|$)/.test(String(text)));
          return expecting(areClasses, 'texts of the form "0.9:2"', show(answer));
        });
      }),
    },
    {
      name: "refuses to classify by less than one as the caller's fault",
      source: "Switchback's own: stricter",
      isBeyond: true,
      look: sampled(async subject => {
        const outputs = [{ name: subject.answered.outputs[0]!.name, parameters: { classification: -1 } }];
        return isBlamed(await infer(subject, { ...subject.sample, outputs }));
      }),
    },
  ],
};

export const schedulePolicy: Group = {
  name: 'Schedule policy',
  extension: 'schedule_policy',
  checks: [
    {
      name: 'answers a request that has a priority and a timeout',
      source: 'Schedule policy extension: priority, timeout',
      look: sampled(async subject => {
        const parameters = { priority: 1, timeout: 10_000_000 };
        return sameValues(await infer(subject, { ...subject.sample, parameters }), subject.answered);
      }),
    },
  ],
};

export const freeParameters: Group = {
  name: 'Parameters',
  extension: 'parameters',
  checks: [
    {
      name: 'answers a request that has parameters of its own',
      source: 'Parameters extension',
      look: sampled(async subject => {
        const parameters = { tenant: 'a', trial: 3, dry: true };
        return sameValues(await infer(subject, { ...subject.sample, parameters }), subject.answered);
      }),
    },
  ],
};

function index(server: Server, body: string): Promise<Answer> {
  return server.ask('/v2/repository/index', { method: 'POST', headers: JSON_TYPE, body });
}

function isIndex(answer: Answer): Outcome {
  const isEntry = (entry: unknown): boolean =>
    isObject(entry) && typeof entry['name'] === 'string' && typeof entry['state'] === 'string';
  const isList = Array.isArray(answer.json) && answer.json.every(isEntry);
  return all(hasStatus(answer, 200), expecting(isList, '[{"name": "…", "state": "…"}, …]', show(answer)));
}

function lists(answer: Answer, model: string): Outcome {
  const entries = Array.isArray(answer.json) ? answer.json : [];
  return expecting(
    entries.some(entry => isObject(entry) && entry['name'] === model),
    `an entry of "${model}"`,
    show(answer),
  );
}

function areStatistics(answer: Answer, model: string): Outcome {
  const stats = isObject(answer.json) ? answer.json['model_stats'] : undefined;
  const isThere = Array.isArray(stats) && stats.some(entry => isObject(entry) && entry['name'] === model);
  return all(
    hasStatus(answer, 200),
    expecting(isThere, `{"model_stats": [{"name": "${model}", …}]}`, show(answer)),
  );
}

async function successes({ server, path }: Sampled): Promise<number> {
  const { json } = await server.ask(`${path}/stats`);
  const stats = isObject(json) && Array.isArray(json['model_stats']) ? json['model_stats'] : [];
  return stats.reduce((sum: number, entry) => sum + countIn(entry), 0);
}

function countIn(entry: unknown): number {
  const stats = isObject(entry) ? entry['inference_stats'] : undefined;
  const success = isObject(stats) ? stats['success'] : undefined;
  return isObject(success) ? Number(success['count'] ?? 0) : 0;
}
