import { WhyNot } from '../registry/why-not.ts';
import type { DeploymentAddress, VersionAddress } from './address.ts';
import { openManagement } from './controller/management.ts';

export interface WhyNotOptions {
  state: string;
  signal: AbortSignal;
}

/** Why a version is not in an environment now, as the running controller would decide. Throws NoController. */
export async function whyNot(
  { environment, model, version }: DeploymentAddress & VersionAddress,
  { state, signal }: WhyNotOptions,
): Promise<WhyNot> {
  const query = new URLSearchParams({ version });
  const path = `/environments/${environment}/models/${model}/why-not?${query}`;
  return openManagement(state).get(path, WhyNot, { signal });
}
