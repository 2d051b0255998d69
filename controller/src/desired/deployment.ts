import type { EnvironmentName, ModelName, Problem, ServingPart } from '@switchback-ml/schemas';
import { readDeploymentFiles } from './deployment-files.ts';
import type { DesiredDeployment } from './desired-state.ts';
import type { Files } from './groups.ts';
import type { ReadModel } from './models.ts';
import { hint, nearest } from './nearest.ts';
import { complain } from './placed-file.ts';
import { wantedRevision } from './wanted-revision.ts';

/** Everything that one model in one environment depends on. */
export interface DeploymentInput {
  environment: EnvironmentName;
  model: ModelName;
  /** Release, settings and holds of the environment for the model. */
  files: Files;
  known: ReadModel | null;
  /** Of the environment, for all its models. */
  defaults: ServingPart | undefined;
  /** Whether the environment takes the newest version where no release names one. */
  isNewest: boolean;
  /** Of all models, for what was meant by a name that is not there. */
  names: readonly ModelName[];
}

export interface ReadDeployment {
  /** Null: the model is not deployed here. */
  deployment: DesiredDeployment | null;
  holds: DesiredDeployment['holds'];
  problems: readonly Problem[];
}

export function readDeployment(input: DeploymentInput): ReadDeployment {
  const { environment, model, known, defaults, isNewest } = input;
  const problems: Problem[] = [];
  const files = readDeploymentFiles(input.files, known, problems);
  if (!known) problems.push(...unknownModel(input));
  const { release, holds } = files;
  if (!release && !(isNewest && known && isThere(known))) return { deployment: null, holds, problems };

  const folder = `environments/${environment}`;
  const environmentPath = `${folder}/environment.yaml`;
  const wanted = known && wantedRevision({ known, files, defaults, environmentPath }, problems);
  const releasePath = release?.placed.path ?? `${folder}/${known?.model.folder ?? model}/release.yaml`;
  return { deployment: { model, holds, wanted, releasePath }, holds, problems };
}

/** Also where none of its versions can be trusted: a file that can't be read is no removal. */
function isThere({ model, unread, isDisputed }: ReadModel): boolean {
  return isDisputed || model.versions.length + unread.length > 0;
}

function unknownModel({ model, files, names }: DeploymentInput): Problem[] {
  const [first] = files;
  if (!first) return [];
  return [
    complain(first, {
      code: 'E_REFERENCE',
      message: `there is no model "${model}"`,
      remedy: hint(nearest(model, names), 'Add its folder below models/, or remove this one.'),
    }),
  ];
}
