import { EnvironmentName, ModelName, VersionLabel } from '@switchback-ml/schemas';
import { SwitchbackError } from '../error.ts';

/** One grammar of addresses everywhere: `prod/screening`, `screening@1.1.0`, `prod/screening@1.1.0`. */
const ADDRESS = /^(?:([^/@]+)\/)?([^/@]+)(?:@([^/@]+))?$/;

export interface DeploymentAddress {
  environment: EnvironmentName;
  model: ModelName;
}

export interface VersionAddress {
  model: ModelName;
  version: VersionLabel;
}

/** `prod/screening` */
export function parseDeployment(text: string): DeploymentAddress {
  const { environment, model, version } = parts(text, 'prod/screening');
  if (environment && model && !version) return { environment, model };
  throw usage(text, 'prod/screening');
}

/** `screening@1.1.0` */
export function parseVersion(text: string): VersionAddress {
  const { environment, model, version } = parts(text, 'screening@1.1.0');
  if (!environment && model && version) return { model, version };
  throw usage(text, 'screening@1.1.0');
}

/** `prod/screening@1.1.0` */
export function parseDeployedVersion(text: string): DeploymentAddress & VersionAddress {
  const { environment, model, version } = parts(text, 'prod/screening@1.1.0');
  if (environment && model && version) return { environment, model, version };
  throw usage(text, 'prod/screening@1.1.0');
}

/** `prod/screening`, `prod`, or nothing for all. */
export function parseScope(text: string | undefined): Partial<DeploymentAddress> {
  if (text === undefined) return {};
  return text.includes('/') ? parseDeployment(text) : { environment: parseEnvironment(text) };
}

/** Whatever can be shown: `prod/screening`, `prod`, `screening@1.1.0`. */
export function parseAnything(text: string): Partial<DeploymentAddress & VersionAddress> {
  return text.includes('@') ? parseVersion(text) : parseScope(text);
}

export function parseEnvironment(text: string): EnvironmentName {
  return named(EnvironmentName, text, 'an environment such as prod');
}

export function parseModel(text: string): ModelName {
  return named(ModelName, text, 'a model such as screening');
}

export function parseVersionLabel(text: string): VersionLabel {
  return named(VersionLabel, text, 'a version such as 1.1.0');
}

/** `screening`, or with the team of a model that is new `payments/fraud`. */
export function parseNewModel(text: string): { model: ModelName; folder: string } {
  const names = text.split('/');
  if (names.length > 2) throw usage(text, 'payments/fraud');
  const models = names.map(parseModel);
  return { model: models.at(-1) ?? parseModel(text), folder: models.join('/') };
}

function parts(
  text: string,
  example: string,
): { environment: EnvironmentName | null; model: ModelName; version: VersionLabel | null } {
  const [, environment, model, version] = ADDRESS.exec(text) ?? [];
  if (model === undefined) throw usage(text, example);
  return {
    environment: environment === undefined ? null : parseEnvironment(environment),
    model: parseModel(model),
    version: version === undefined ? null : parseVersionLabel(version),
  };
}

function named<Name>(
  schema: { safeParse(value: unknown): { success: true; data: Name } | { success: false } },
  text: string,
  what: string,
): Name {
  const read = schema.safeParse(text);
  if (read.success) return read.data;
  throw new SwitchbackError('E_USAGE', `${JSON.stringify(text.slice(0, 80))} is not ${what}.`);
}

function usage(text: string, example: string): SwitchbackError {
  return new SwitchbackError(
    'E_USAGE',
    `${JSON.stringify(text.slice(0, 80))} is not an address of this kind; write it like ${example}.`,
  );
}
