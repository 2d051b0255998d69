/** The public door: what the command line, a CI action, the demo and tests may use of the controller. */

export type { Setting } from '../registry/effective.ts';
export type { HistoryItem } from '../registry/history.ts';
export type { RanAt } from '../registry/ran-at.ts';
export type { WhyNot } from '../registry/why-not.ts';
export { type Seed, seedRepository } from '../remote/seed.ts';
export { type RemoteServer, type RemoteServerSettings, remoteServer } from '../remote/server.ts';
export { type AcceptRewriteRequest, acceptRewrite } from './accept-rewrite.ts';
export {
  type DeploymentAddress,
  parseAnything,
  parseDeployedVersion,
  parseDeployment,
  parseEnvironment,
  parseModel,
  parseNewModel,
  parseScope,
  parseVersion,
  parseVersionLabel,
  type VersionAddress,
} from './address.ts';
export { type Check, type Diagnosis, type DoctorOptions, doctor } from './doctor.ts';
export { type EventsOptions, events } from './events.ts';
export { type FreezeRequest, freeze, type UnfreezeRequest, unfreeze } from './freeze.ts';
export { type GatewayOptions, gateway } from './gateway.ts';
export { type GetRequest, type Got, get } from './get.ts';
export { type History, type HistoryRequest, history, historyAt, type Then } from './history.ts';
export { type HoldRequest, hold, type LiftRequest, lift } from './hold.ts';
export { LEVELS, type Level, type LogLine, type LogScope } from './logs/line.ts';
export { type LogsOptions, logs } from './logs.ts';
export type { Outcome } from './outcome.ts';
export type { Progress } from './progress.ts';
export { type PromoteRequest, promote } from './promote.ts';
export { type RegisterRequest, register } from './register.ts';
export { type RollbackRequest, rollback } from './rollback.ts';
export { type StatusOptions, status } from './status.ts';
export { type SteerRequest, type SteerVerb, steer } from './steer.ts';
export { type Example, type Running, type UpOptions, up } from './up.ts';
export { type ValidateOptions, type Validation, validate } from './validate.ts';
export { productVersion } from './version.ts';
export { type WhyNotOptions, whyNot } from './why-not.ts';
export type { GitOptions } from './workspace/open.ts';
export type { ReadOptions, Source } from './workspace/read.ts';
export { isFolder } from './workspace/target.ts';
