import { EnvironmentName, ModelName, OperationStatus, Status } from '@switchback-ml/schemas';
import { z } from 'zod';
import { SwitchbackError } from '../../error.ts';
import type { FirstSeen } from '../../registry/first-seen.ts';
import { HistoryItem, historyItems } from '../../registry/history.ts';
import { ModelEntry, modelEntries, VersionEntry, versionEntries } from '../../registry/models.ts';
import { operationStatus } from '../../registry/operations.ts';
import { type Endpoint, endpoint } from '../route.ts';
import { statusNow } from '../status-now.ts';
import type { ServerWorld } from '../world.ts';

export function status(world: ServerWorld, seen: FirstSeen): Endpoint {
  return endpoint({
    summary: 'What git asks for, what is served, and what is waited for',
    answers: { found: Status },
    handle: () => ({ kind: 'found', body: statusNow(world, seen) }),
  });
}

export function models({ state }: ServerWorld): Endpoint {
  return endpoint({
    summary: 'Models with their versions, and the version that each environment asks for',
    answers: { found: items(ModelEntry) },
    handle: () => found(state.desired ? modelEntries(state.desired) : []),
  });
}

export function versions({ state }: ServerWorld): Endpoint {
  return endpoint({
    summary: 'Versions of one model, oldest first',
    params: z.object({ model: ModelName }),
    answers: { found: items(VersionEntry) },
    handle: ({ params }) => {
      const model = state.desired?.models.get(params.model);
      if (model) return found(versionEntries(model));
      const message = `There is no model ${params.model} in the repository. GET /api/v1alpha1/models lists them.`;
      throw new SwitchbackError('E_NOT_FOUND', message);
    },
  });
}

export function history({ repository }: ServerWorld): Endpoint {
  return endpoint({
    summary: 'Releases and what became of them, from git, newest first',
    query: z.strictObject({
      environment: EnvironmentName.optional(),
      model: ModelName.optional(),
      limit: z.coerce.number().int().min(1).max(1000).default(200),
    }),
    answers: { found: items(HistoryItem) },
    handle: ({ query }) => {
      const view = repository.latest();
      return found(view ? historyItems(view, query).slice(0, query.limit) : []);
    },
  });
}

export function operations({ state, branch, repository }: ServerWorld): Endpoint {
  return endpoint({
    summary: 'What is being written to git, and what that waits for',
    answers: { found: items(OperationStatus) },
    handle: () => {
      const remoteFailure = repository.contact().failure?.message ?? null;
      return found(state.open.list().map(operation => operationStatus(operation, { branch, remoteFailure })));
    },
  });
}

function items<Item extends z.ZodType>(item: Item) {
  return z.object({ items: z.array(item) });
}

function found(list: readonly unknown[]): { kind: 'found'; body: unknown } {
  return { kind: 'found', body: { items: list } };
}
