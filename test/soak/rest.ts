import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { BRANCH } from '../../demo/place.ts';
import type { Ground } from './ground.ts';
import { operationLives } from './judge/operations.ts';
import type { SoakPlace } from './place.ts';
import { found, pause } from './wait.ts';
import { divergedIn } from './watch/control.ts';

const SETTLED_WITHIN_MS = 5 * 60_000;
const ENDED_WITHIN_MS = 30_000;
const LEFT =
  /\.lock$|(?:^|\/)\.?tmp[-_]|\.part$|\.partial$|\.new$|\.tmp$|\.fresh$|-journal$|(?:^|\/)incoming\/.|^(?:up|controller)\.json$/;

/** Waits, with the requests going on, until nothing is under way any more. Why not, in words; empty: all is at rest. */
export async function settle(ground: Ground): Promise<string[]> {
  try {
    await found('everything to settle', SETTLED_WITHIN_MS, ground.signal, async () => {
      const why = await unsettled(ground);
      if (why.length > 0) throw new Error(why.join('; '));
      return true;
    });
    return [];
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

/** What status, git, the runtimes, the answers and the event log do not agree on, or have not finished. */
async function unsettled(ground: Ground): Promise<string[]> {
  const { place, chronicle, traffic, commits } = ground;
  const status = await place.status();
  const why = [...divergedIn(status).values()];
  if (status.repository.failure !== null) why.push(`the remote: ${status.repository.failure}`);
  why.push(...status.operations.map(({ kind, subject, state }) => `${kind} of ${subject} is ${state}`));
  const open = operationLives(chronicle.events).filter(({ untilMs }) => untilMs === null);
  why.push(...open.map(({ kind, subject }) => `no end of ${kind} of ${subject} in the event log`));
  for (const { name, address, deployments } of status.environments) {
    const word = await place.word(address ?? '');
    for (const { model, version, phase, backends } of deployments) {
      const subject = `${name}/${model}`;
      const inGit = name === 'dev' ? version : await releaseOf(commits, subject);
      const served = Object.entries(word.routes).find(([route]) => route === model)?.[1].backends ?? [];
      const says = [
        backends.map(({ version: label, weight, state }) => `${label} ${weight} ${state}`).join(),
        served
          .filter(({ weight }) => weight > 0)
          .map(({ version: label, weight }) => `${label} ${weight}`)
          .join(),
        traffic.newest(name, model),
      ];
      const expected = [`${inGit} 100 ready`, `${inGit} 100`, inGit];
      if (phase !== 'steady') why.push(`${subject} is ${phase}`);
      if (says.join() !== expected.join())
        why.push(`${subject}: git says ${inGit}; status, runtime and answers say ${says.join(', ')}`);
    }
  }
  return why;
}

async function releaseOf(commits: Ground['commits'], subject: string): Promise<string | undefined> {
  const text = await commits.git('show', `refs/heads/${BRANCH}:environments/${subject}/release.yaml`);
  return /^version: "?([^"\n]+)"?$/m.exec(text)?.[1];
}

/** Processes that have outlived everything, locks and half-written files. Ends the processes, by id. */
export async function leftovers(place: SoakPlace): Promise<string[]> {
  const left: string[] = [];
  const until = Date.now() + ENDED_WITHIN_MS;
  let living = await place.processes.living();
  while (living.length > 0 && Date.now() < until) {
    await pause(500, new AbortController().signal);
    living = await place.processes.living();
  }
  place.processes.kill(...living.map(({ pid }) => pid));
  left.push(...living.map(({ pid, words }) => `process ${pid} lives on: ${words.slice(0, 200)}`));
  for (const directory of [place.state, place.bare]) {
    const entries = await readdir(directory, { recursive: true, withFileTypes: true });
    const files = entries
      .filter(entry => entry.isFile())
      .map(entry => join(entry.parentPath, entry.name).slice(directory.length + 1));
    left.push(...files.filter(file => LEFT.test(file)).map(file => `${file} was left behind`));
  }
  return left;
}
