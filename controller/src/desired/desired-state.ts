import type {
  Artifact,
  BlobId,
  CommitSha,
  EnvironmentName,
  Evaluation,
  Freeze,
  Gates,
  Hold,
  Instant,
  LocalTarget,
  Mode,
  ModelName,
  Problem,
  Promotion,
  Rate,
  RevisionId,
  ServingSettings,
  SettingsDigest,
  Signature,
  VersionDigest,
  VersionLabel,
} from '@switchback-ml/schemas';

/** Everything the manifests at one commit ask for, parsed and resolved. */
export interface DesiredState {
  commit: CommitSha;
  /** In promotion order: an environment comes after those it promotes from. */
  environments: ReadonlyMap<EnvironmentName, DesiredEnvironment>;
  models: ReadonlyMap<ModelName, DesiredModel>;
  /** Environments whose own manifest can't be read: what runs there stays as it is. */
  broken: ReadonlySet<EnvironmentName>;
  problems: readonly Problem[];
}

export interface DesiredModel {
  name: ModelName;
  /** Folder below `models/`, with the team if there is one: `payments/fraud`. */
  folder: string;
  /** In the order of the commits that introduced them, oldest first. */
  versions: readonly DesiredVersion[];
}

export interface DesiredVersion {
  label: VersionLabel;
  digest: VersionDigest;
  artifacts: Readonly<Record<string, Artifact>>;
  signature: Signature;
  evaluation: readonly Evaluation[];
  /** Dotted paths of the facts that `version.yaml` carries, for `gates.require`. */
  facts: ReadonlySet<string>;
  introducedAt: Instant;
}

export interface DesiredEnvironment {
  name: EnvironmentName;
  promotesFrom: readonly EnvironmentName[];
  /** How its runtimes are run on the controller's machine; absent: nothing is said. */
  local?: LocalTarget;
  mode: Mode;
  promotion: Promotion;
  gates: Gates;
  rollback: { write: 'push' | 'push-else-pull-request' | 'pull-request'; atMost: Rate };
  freezes: readonly (Freeze & { path: string })[];
  deployments: ReadonlyMap<ModelName, DesiredDeployment>;
  /** Holds of models that are not deployed here, and so may not be brought by automation. Absent: none. */
  otherHolds?: ReadonlyMap<ModelName, DesiredDeployment['holds']>;
}

export interface DesiredDeployment {
  model: ModelName;
  /** Null: the release or what it names can't be read; keep what runs. Never an undeployment. */
  wanted: RevisionSpec | null;
  holds: readonly (Hold & { path: string })[];
  /** Where its release stands, `environments/prod/fraud/release.yaml`; written by rollback and promotion. */
  releasePath: string;
}

/** One revision with all that is needed to serve it and to name it; survives the manifests it came from. */
export interface RevisionSpec {
  id: RevisionId;
  version: VersionLabel;
  digest: VersionDigest;
  settingsDigest: SettingsDigest;
  settings: ServingSettings;
  artifacts: Readonly<Record<string, Artifact>>;
  signature: Signature;
}

/** A file of the model repository as the reader found it; the blob id is what parses are remembered by. */
export type RepositoryFile = { blob: BlobId; mode: string } & (
  | { kind: 'manifest'; text: string }
  | { kind: 'pointer'; digest: string; sizeBytes: number }
  | { kind: 'raw'; sizeBytes: number; digest: string | null }
  | { kind: 'refused'; code: Problem['code']; message: string }
);

/** One first-parent commit that changed one path. */
export interface PathChange {
  commit: CommitSha;
  parent: CommitSha | null;
  at: Instant;
  author: string;
  subject: string;
  /** Null: the path was removed. */
  blob: BlobId | null;
  /** Whether the commit changed this path and no other. */
  alone: boolean;
}

/** First-parent history of the paths that matter, oldest change first. */
export interface RepositoryHistory {
  paths: ReadonlyMap<string, readonly PathChange[]>;
  /** Texts of present and former release and version manifests. */
  texts: ReadonlyMap<BlobId, string>;
  /** Rank of the commit that first introduced a path, so that versions have an order that no clock can bend. */
  order: ReadonlyMap<string, number>;
  /** Rank of each first-parent commit that changed a path that matters. */
  commits: ReadonlyMap<CommitSha, number>;
}
