import type { Condition, DeploymentStatus, Wait } from '@switchback-ml/schemas';
import { inputWith, rolloutWith, type StatePart, stateWith } from './deployed.fixture.ts';
import { makeStatus, type StatusInput } from './status.ts';

export function rolled(rollout: Parameters<typeof rolloutWith>[0], state: StatePart = {}): StatusInput {
  return inputWith({ state: stateWith({ rollout: rolloutWith(rollout), ...state }) });
}

export function deployment(input: StatusInput): DeploymentStatus {
  const found = makeStatus(input).environments[0]?.deployments[0];
  if (!found) throw new Error('no deployment in the status');
  return found;
}

export function phase(input: StatusInput): string {
  return deployment(input).phase;
}

export function onlyWait(input: StatusInput): Wait {
  const { waits } = deployment(input);
  if (waits.length !== 1) throw new Error(`not one wait: ${JSON.stringify(waits)}`);
  return waits[0] as Wait;
}

export function condition(input: StatusInput, type: Condition['type']): Condition {
  return deployment(input).conditions.find(entry => entry.type === type) as Condition;
}

export function trueConditions(input: StatusInput): string[] {
  return deployment(input)
    .conditions.filter(({ status }) => status)
    .map(({ type }) => type);
}
