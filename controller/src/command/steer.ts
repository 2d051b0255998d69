import { z } from 'zod';
import type { DeploymentAddress } from './address.ts';
import { openManagement } from './controller/management.ts';
import type { Outcome } from './outcome.ts';
import { type PersonRequest, readPersonName } from './workspace/person.ts';

/** What the controller does at once, and never forward. */
export type SteerVerb = 'rollback' | 'abort' | 'pause' | 'resume';

/** For who gives no reason: the record shall not be empty. */
const UNSAID: Record<SteerVerb, string> = {
  rollback: 'a person rolled it back',
  abort: 'a person aborted it',
  pause: 'no reason given',
  resume: 'no reason given',
};

const Steered = z.object({ did: z.string(), gitWillSay: z.string(), undo: z.string() });

export interface SteerRequest extends DeploymentAddress {
  reason?: string | undefined;
}

export interface SteerOptions extends PersonRequest {
  state: string;
}

/** Asks the running controller; the answer comes once it has taken the request in. Throws NoController. */
export async function steer(
  verb: SteerVerb,
  { environment, model, reason }: SteerRequest,
  options: SteerOptions,
): Promise<Outcome> {
  const management = openManagement(options.state);
  const by = await readPersonName(options);
  const path = `/environments/${environment}/models/${model}/${verb}`;
  const body = { reason: reason ?? UNSAID[verb], by };
  const { did, gitWillSay, undo } = await management.post(path, body, Steered, { signal: options.signal });
  return { did, git: { subject: gitWillSay, commit: null, branch: null }, undo, notes: [] };
}
