import { hasStatus, isBlamed } from '../answers.ts';
import { expecting, type Group, skipped } from '../check.ts';
import { show } from '../server.ts';
import { pathOf } from '../subject.ts';
import { isObject } from '../v2.ts';

export const health: Group = {
  name: 'Health',
  checks: [
    {
      name: 'says that it is live with 200',
      source: 'V2 REST, Server Live',
      look: async ({ server }) => hasStatus(await server.ask('/v2/health/live'), 200),
    },
    {
      name: 'says that it is ready with 200',
      source: 'V2 REST, Server Ready',
      look: async ({ server }) => hasStatus(await server.ask('/v2/health/ready'), 200),
    },
    {
      name: 'says that the model is ready with 200',
      source: 'V2 REST, Model Ready',
      look: async ({ server, path }) => hasStatus(await server.ask(`${path}/ready`), 200),
    },
    {
      name: 'says that a version is ready under its own address',
      source: 'V2 REST, Model Ready',
      async look({ server, model, versions }) {
        if (versions[0] === undefined) return skipped('the metadata name no versions');
        return hasStatus(await server.ask(`${pathOf(model, versions[0])}/ready`), 200);
      },
    },
    {
      name: 'does not say that a model is ready that is not there',
      source: 'V2 REST, Model Ready',
      async look({ server }) {
        const answer = await server.ask('/v2/models/no-such-model/ready');
        return expecting(answer.status >= 400, 'an HTTP error status', show(answer));
      },
    },
    {
      name: 'blames the caller for asking after a model that is not there',
      source: 'As Triton does: 404',
      isBeyond: true,
      look: async ({ server }) => isBlamed(await server.ask('/v2/models/no-such-model/ready')),
    },
    {
      name: 'tells its liveness in the body as well',
      source: 'V2 REST, Server Live Response JSON Object; an older text wants no body',
      isBeyond: true,
      async look({ server }) {
        const answer = await server.ask('/v2/health/live');
        return expecting(
          isObject(answer.json) && answer.json['live'] === true,
          '{"live": true}',
          show(answer),
        );
      },
    },
    {
      name: "tells the model's name and readiness in the body as well",
      source: 'V2 REST, Model Ready Response JSON Object; an older text wants no body',
      isBeyond: true,
      async look({ server, path, model }) {
        const answer = await server.ask(`${path}/ready`);
        const { name, ready } = isObject(answer.json) ? answer.json : {};
        return expecting(
          name === model && ready === true,
          `{"name": "${model}", "ready": true}`,
          show(answer),
        );
      },
    },
  ],
};
