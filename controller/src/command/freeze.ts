import { Duration, type EnvironmentName, type Instant, type ModelName } from '@switchback-ml/schemas';
import { z } from 'zod';
import { SwitchbackError } from '../error.ts';
import { findEnvironment, findModel } from '../registry/find.ts';
import type { Outcome } from './outcome.ts';
import { isInForce } from './promote.ts';
import { manifestText } from './workspace/manifest-text.ts';
import { subjectLine } from './workspace/message.ts';
import { changeRepository, type GitOptions } from './workspace/open.ts';
import type { Look } from './workspace/workspace.ts';
import type { Planned } from './workspace/write.ts';

export interface FreezeRequest {
  environment: EnvironmentName;
  /** Absent: every model of the environment. */
  model?: ModelName | undefined;
  /** A time with zone, or a duration from now such as `4h`. */
  until?: string | undefined;
  reason: string;
}

export interface UnfreezeRequest {
  environment: EnvironmentName;
  model?: ModelName | undefined;
  reason?: string | undefined;
}

/** No promotions into an environment until the freeze ends; rollbacks still happen. */
export async function freeze(request: FreezeRequest, options: GitOptions): Promise<Outcome> {
  return changeRepository(options, (look, { person }) => planFreeze(look, request, person.name));
}

export async function unfreeze(request: UnfreezeRequest, options: GitOptions): Promise<Outcome> {
  return changeRepository(options, look => planUnfreeze(look, request));
}

export function planFreeze({ desired, now }: Look, request: FreezeRequest, by: string): Planned {
  const { model, reason } = request;
  const environment = findEnvironment(desired, request.environment);
  if (model !== undefined) findModel(desired, model);
  const until = request.until === undefined ? undefined : endOf(request.until, now);
  const scope = scopeOf(environment.name, model);
  const known = environment.freezes.find(one => one.model === model && isInForce(one, model ?? '', now));
  if (known && known.until === until)
    return { kind: 'nothing', said: `${scope} is frozen already, by ${known.path}: ${known.reason}` };
  const text = manifestText('Freeze', {
    reason,
    by,
    ...(until ? { until } : {}),
    ...(model ? { model } : {}),
  });
  const path = known?.path ?? `environments/${environment.name}/freezes/${model ?? 'all'}.yaml`;
  return {
    kind: 'change',
    edits: new Map([[path, text]]),
    subject: subjectLine(`${scope}: freeze${until ? ` until ${until}` : ''}`, reason),
    paragraphs: [reason, `To end it: ${unfreezeCommand(environment.name, model)}`],
    did: `${scope} is frozen${until ? ` until ${until}` : ''}: no promotions; rollbacks still happen.`,
    undo: () => unfreezeCommand(environment.name, model),
  };
}

export function planUnfreeze({ desired, now }: Look, request: UnfreezeRequest): Planned {
  const { model, reason } = request;
  const environment = findEnvironment(desired, request.environment);
  const scope = scopeOf(environment.name, model);
  const freezes = environment.freezes.filter(one => one.model === model);
  if (freezes.length === 0) return { kind: 'nothing', said: `${scope} is not frozen; nothing to do.` };
  const wider = environment.freezes.find(one => one.model === undefined && isInForce(one, '', now));
  return {
    kind: 'change',
    edits: new Map(freezes.map(({ path }) => [path, null])),
    subject: subjectLine(`${scope}: end the freeze`, reason),
    paragraphs: [...(reason ? [reason] : []), ...freezes.map(one => `It was frozen because: ${one.reason}`)],
    did: `${scope} is no longer frozen.`,
    undo: commit => `git revert ${commit.slice(0, 12)}`,
    notes:
      model !== undefined && wider ? [`All of ${environment.name} is still frozen by ${wider.path}.`] : [],
  };
}

function scopeOf(environment: EnvironmentName, model: ModelName | undefined): string {
  return model === undefined ? environment : `${environment}/${model}`;
}

function unfreezeCommand(environment: EnvironmentName, model: ModelName | undefined): string {
  return `switchback unfreeze ${environment}${model === undefined ? '' : ` --model ${model}`}`;
}

function endOf(text: string, now: Instant): string {
  const duration = Duration.safeParse(text);
  const instant = duration.success
    ? new Date(now + duration.data).toISOString().replace(/\.\d+Z$/, 'Z')
    : text;
  if (z.iso.datetime({ offset: true }).safeParse(instant).success && Date.parse(instant) > now)
    return instant;
  throw new SwitchbackError(
    'E_USAGE',
    `--until ${JSON.stringify(text.slice(0, 60))}: give a duration such as "4h", or a coming time with its zone such as "2026-12-24T18:00:00Z".`,
  );
}
