import { hasStatus, isRefused } from '../answers.ts';
import { all, expecting, type Group, type Outcome, skipped } from '../check.ts';
import { DATATYPES } from '../datatypes.ts';
import { type Answer, show } from '../server.ts';
import { pathOf } from '../subject.ts';
import { isObject, isStrings, tensorFault } from '../v2.ts';

export const metadata: Group = {
  name: 'Metadata',
  checks: [
    {
      name: 'tells its name, version and extensions',
      source: 'V2 REST, Server Metadata Response JSON Object',
      look: async ({ server }) => isServerMetadata(await server.ask('/v2')),
    },
    {
      name: 'tells them at the address with a slash at its end too',
      source: 'The published API description has /v2/, the text has v2',
      isBeyond: true,
      look: async ({ server }) => isServerMetadata(await server.ask('/v2/')),
    },
    {
      name: "tells the model's name, platform, inputs and outputs",
      source: 'V2 REST, Model Metadata Response JSON Object',
      async look({ server, path, model }) {
        const answer = await server.ask(path);
        return isModelMetadata(answer, model);
      },
    },
    {
      name: 'names datatypes of the protocol alone',
      source: 'V2 REST, Tensor Data Types; BF16 of its gRPC form',
      async look({ inputs, outputs }) {
        const unknown = [...inputs, ...outputs].find(({ datatype }) => DATATYPES[datatype] === undefined);
        return expecting(unknown === undefined, Object.keys(DATATYPES).join(', '), JSON.stringify(unknown));
      },
    },
    {
      name: 'tells of each version that it lists under its own address',
      source: 'V2 REST, Model Metadata: versions "that may be explicitly requested"',
      async look({ server, model, versions }) {
        if (versions.length === 0) return skipped('the metadata name no versions');
        const answers = versions.slice(0, 5).map(version => server.ask(pathOf(model, version)));
        return all(...(await Promise.all(answers)).map(answer => isModelMetadata(answer, model)));
      },
    },
    {
      name: 'says why in "error" where there is no such model',
      source: 'V2 REST, Model Metadata Response JSON Error Object',
      look: async ({ server }) => isRefused(await server.ask('/v2/models/no-such-model')),
    },
    {
      name: 'says why in "error" where there is no such version',
      source: 'V2 REST, Model Metadata Response JSON Error Object',
      async look({ server, model, versions }) {
        if (versions.length === 0) return skipped('the metadata name no versions');
        return isRefused(await server.ask(pathOf(model, 'no-such-version')));
      },
    },
  ],
};

function isServerMetadata(answer: Answer): Outcome {
  const { name, version, extensions } = isObject(answer.json) ? answer.json : {};
  const isWhole = typeof name === 'string' && typeof version === 'string' && isStrings(extensions);
  return all(
    hasStatus(answer, 200),
    expecting(isWhole, '{"name": "…", "version": "…", "extensions": ["…"]}', show(answer)),
  );
}

function isModelMetadata(answer: Answer, model: string): Outcome {
  const json = isObject(answer.json) ? answer.json : {};
  const { name, platform, versions, inputs, outputs } = json;
  const tensors = [inputs, outputs].map(list => (Array.isArray(list) ? list : ['none']));
  const fault = tensors
    .flat()
    .map(tensorFault)
    .find(found => found !== null);
  return all(
    hasStatus(answer, 200),
    expecting(name === model, `"name": "${model}"`, show(answer)),
    expecting(typeof platform === 'string', '"platform": "…"', show(answer)),
    expecting(versions === undefined || isStrings(versions), '"versions", a list of strings', show(answer)),
    expecting(
      fault === undefined,
      '"inputs" and "outputs", each of name, datatype and shape',
      `${fault}: ${show(answer)}`,
    ),
  );
}
