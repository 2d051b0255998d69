import type { Running } from '../../command/index.ts';
import { problemsText, waitLines } from './status.ts';

/** What `up` says once it is up: every address, what to type there, and what is amiss. `state`: `--state` as it was given. */
export function upText(
  running: Pick<Running, 'address' | 'unready' | 'status' | 'examples'>,
  { state, now }: { state: string; now: number },
): string {
  const { address, unready, status, examples } = running;
  const environments = examples.map(({ environment, address: served, curl }) => {
    const deployments = status.environments.find(({ name }) => name === environment)?.deployments ?? [];
    const waits =
      curl === null ? deployments.flatMap(({ waits }) => waits.flatMap(wait => waitLines(wait, now))) : [];
    return [`${environment}  ${served}`, curl ?? '  serves nothing yet', ...waits].join('\n');
  });
  const problems = problemsText(status.problems);
  return `${[
    `switchback is up: ${address}`,
    ...(unready === null ? [] : [`It is not ready yet and goes on trying: ${unready}`]),
    ...(environments.length > 0 ? environments : ['No environment is served yet.']),
    ...pageLines(running),
    ...(problems === '' ? [] : [problems]),
    `Ctrl-C stops everything. In another terminal: switchback status${state}`,
  ].join('\n\n')}\n`;
}

/** Of the last environment that serves something: in promotion order that is the one with callers. */
function pageLines({ examples }: Pick<Running, 'examples'>): string[] {
  const serving = examples.findLast(({ curl }) => curl !== null);
  if (!serving) return [];
  const { environment, address, keyFile } = serving;
  const page = new URL('/docs/', address).href;
  return [
    `Read and try the API of every model in ${environment}: open ${page} in a browser, and give it the key in ${keyFile}`,
  ];
}
