import type { Actuation } from '../actuation/actuation.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { ArtifactSource, Repository } from '../repository/repository.ts';
import { failingActuation } from './failing-actuation.ts';
import { failingArtifactSource } from './failing-artifact-source.ts';
import { failingLedger } from './failing-ledger.ts';
import { failingRepository } from './failing-repository.ts';
import { failpointOfFile } from './failpoint.ts';

/** Wraps each port so that a test can cut it off. */
export interface Failpoints {
  ledger(ledger: Ledger): Ledger;
  repository(repository: Repository): Repository;
  actuation(actuation: Actuation): Actuation;
  artifacts(source: ArtifactSource): ArtifactSource;
}

/** Where a test says that the file which arms failpoints will be; without it every port is left as it is. */
export const FAILPOINT_FILE = 'SWITCHBACK_FAILPOINT_FILE';

export function failpoints(environment: NodeJS.ProcessEnv, historyRef: string): Failpoints {
  const file = environment[FAILPOINT_FILE];
  if (!file) return NONE;
  const reach = failpointOfFile(file);
  return {
    ledger: ledger => failingLedger(ledger, reach),
    repository: repository => failingRepository(repository, reach, historyRef),
    actuation: actuation => failingActuation(actuation, reach),
    artifacts: source => failingArtifactSource(source, reach),
  };
}

const NONE: Failpoints = {
  ledger: ledger => ledger,
  repository: repository => repository,
  actuation: actuation => actuation,
  artifacts: source => source,
};
