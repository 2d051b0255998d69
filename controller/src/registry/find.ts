import type { EnvironmentName, ModelName, VersionLabel } from '@switchback-ml/schemas';
import type {
  DesiredDeployment,
  DesiredEnvironment,
  DesiredModel,
  DesiredState,
  DesiredVersion,
} from '../desired/desired-state.ts';
import { nearest } from '../desired/nearest.ts';
import { SwitchbackError } from '../error.ts';

/** Each throws E_NOT_FOUND with what there is instead. */
export function findEnvironment(desired: DesiredState, name: EnvironmentName): DesiredEnvironment {
  const environment = desired.environments.get(name);
  if (environment) return environment;
  if (desired.broken.has(name))
    throw new SwitchbackError(
      'E_NOT_FOUND',
      `environments/${name}/environment.yaml can not be read, so nothing may be changed there. Run: switchback validate`,
    );
  throw missing(`environment "${name}"`, name, [...desired.environments.keys()]);
}

export function findModel(desired: DesiredState, name: ModelName): DesiredModel {
  const model = desired.models.get(name);
  if (model) return model;
  throw missing(`model "${name}"`, name, [...desired.models.keys()]);
}

export function findVersion(desired: DesiredState, name: ModelName, label: VersionLabel): DesiredVersion {
  const { folder, versions } = findModel(desired, name);
  const version = versions.find(candidate => candidate.label === label);
  if (version) return version;
  const problem = desired.problems.find(
    ({ path }) => path === `models/${folder}/versions/${label}/version.yaml`,
  );
  if (problem)
    throw new SwitchbackError(
      'E_NOT_FOUND',
      `${name}@${label} can not be used: ${problem.message}. ${problem.remedy}`,
    );
  throw missing(
    `version ${label} of ${name}`,
    label,
    versions.map(candidate => candidate.label),
  );
}

export function findDeployment(environment: DesiredEnvironment, model: ModelName): DesiredDeployment {
  const deployment = environment.deployments.get(model);
  if (deployment) return deployment;
  throw missing(`model "${model}" in ${environment.name}`, model, [...environment.deployments.keys()]);
}

function missing(what: string, name: string, known: readonly string[]): SwitchbackError {
  const near = nearest(name, known);
  const list = known.length > 0 ? `There is ${known.slice(-8).join(', ')}.` : 'There is none yet.';
  return new SwitchbackError(
    'E_NOT_FOUND',
    `There is no ${what}. ${near ? `Did you mean "${near}"? ` : ''}${list}`,
  );
}
