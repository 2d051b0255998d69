import type { CommitSha } from '@switchback-ml/schemas';
import type { DesiredState, RepositoryFile, RepositoryHistory } from './desired-state.ts';
import { readEnvironments } from './environments.ts';
import type { ParseMemory } from './manifests.ts';
import { readModels } from './models.ts';
import { Reading } from './reading.ts';

export interface Tree {
  commit: CommitSha;
  files: ReadonlyMap<string, RepositoryFile>;
  history: RepositoryHistory;
}

/**
 * Everything the manifests of one commit ask for. One bad file never stops the others: its problem is reported
 * and what depends on it stays as it is.
 *
 * @param memory parses made so far; pass the same map again and only changed blobs are parsed
 */
export function desired(tree: Tree, memory: ParseMemory = new Map()): DesiredState {
  const reading = new Reading(tree.files, tree.history, memory);
  const models = readModels(reading);
  const { environments, broken } = readEnvironments(reading, models);
  return { commit: tree.commit, environments, broken, models: models.models, problems: reading.problems };
}
