import type { CommitSha, Problem } from '@switchback-ml/schemas';
import type { DesiredState, RepositoryFile, RepositoryHistory } from './desired-state.ts';
import { readEnvironments } from './environments.ts';
import { Groups } from './groups.ts';
import { type Memory, Recall } from './memory.ts';
import { readModels } from './models.ts';
import { readAhead } from './placed-file.ts';
import { hiddenBelow, strayProblems } from './strays.ts';

export interface Tree {
  commit: CommitSha;
  files: ReadonlyMap<string, RepositoryFile>;
  history: RepositoryHistory;
}

/**
 * Everything the manifests of one commit ask for. One bad file never stops the others: its problem is reported
 * and what depends on it stays as it is.
 *
 * @param memory what earlier calls found out; pass the same map again and the next commit costs what it changed.
 *   Parts that did not change are the same values as before, so that later stages can tell by identity.
 */
export function desired(tree: Tree, memory: Memory = new Map()): DesiredState {
  const recall = new Recall(memory);
  const groups = sorted(tree, recall);
  const { strays } = groups;
  const hidden = hiddenBelow(strays, tree.history);
  const told = recall.part('strays', [strays], () => strayProblems(strays));
  const models = recall.part('models', [groups.models], below =>
    readModels(groups.models, tree.history.texts, below()),
  );
  const { environments, broken, problems } = readEnvironments(
    { groups: groups.environments, models, hidden },
    recall,
  );
  recall.forgetRest();
  const all: Problem[] = [told, models.problems, problems].flat();
  return { commit: tree.commit, environments, broken, models: models.models, problems: all };
}

/**
 * The dear part of a first look, in pieces: parses what `desired` would parse, and says in between how far it is, so
 * that others may run and a person may see that something happens. `desired` with the same memory then finds it done.
 */
export function* readingAhead(tree: Tree, memory: Memory): Generator<{ read: number; of: number }> {
  const placed = [...sorted(tree, new Recall(memory)).all()];
  for (const [index, file] of placed.entries())
    if (readAhead(file)) yield { read: index + 1, of: placed.length };
}

function sorted({ files, history }: Tree, recall: Recall): Groups {
  const groups = recall.part('groups', [], () => new Groups());
  groups.advance(files, history);
  return groups;
}
