import type { EnvironmentName, Problem } from '@switchback-ml/schemas';

/** What one environment has to complain of. */
export interface Told {
  environment: EnvironmentName;
  problems: readonly Problem[];
}

/** What stands in a file of a model is the same mistake in whichever environment it shows: told once, with all of them. */
export function toldOnce(told: readonly Told[]): Problem[] {
  const shared = new Map<string, { problem: Problem; environments: EnvironmentName[] }>();
  const own: Problem[] = [];
  for (const { environment, problems } of told)
    for (const problem of problems) {
      const { code, path, line, message } = problem;
      if (path.startsWith('environments/')) {
        own.push(problem);
        continue;
      }
      const key = `${code} ${path} ${line} ${message}`;
      const known = shared.get(key);
      if (known === undefined) shared.set(key, { problem, environments: [environment] });
      else if (known.environments.at(-1) !== environment) known.environments.push(environment);
    }
  return [...[...shared.values()].map(withEnvironments), ...own];
}

function withEnvironments({
  problem,
  environments,
}: {
  problem: Problem;
  environments: readonly EnvironmentName[];
}): Problem {
  return { ...problem, message: `${problem.message}, in ${environments.join(', ')}` };
}
