import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Model } from '../example.ts';
import { type Deed, deployment, type Ground, settledOn } from '../ground.ts';
import { found } from '../wait.ts';
import { rolledBack } from './rolled-back.ts';

const run = promisify(execFile);
const CLI = fileURLToPath(new URL('../../../controller/src/cli/main.ts', import.meta.url));
const ASKED_WITHIN_MS = 60_000;
const SETTLED_WITHIN_MS = 10 * 60_000;

/** A person takes back what prod runs, by the command. */
export function rollback(ground: Ground, { model }: { model: Model }): Deed {
  let from = '';
  let afterSeq = 0;
  return {
    what: `a person rolls prod/${model} back by the command`,
    act: async () => {
      from = (await deployment(ground, 'prod', model)).version ?? '';
      afterSeq = ground.chronicle.events.at(-1)?.seq ?? 0;
      const args = [CLI, 'rollback', `prod/${model}`, '--state', ground.place.state];
      // A person whose controller is just being started again asks again.
      await found('the command to be taken', ASKED_WITHIN_MS, ground.signal, () =>
        run(process.execPath, [...args, '--reason', 'trying it'], { timeout: ASKED_WITHIN_MS }),
      );
    },
    prove: async () => {
      const { sha } = await rolledBack(ground, { environment: 'prod', model, version: from, afterSeq });
      const to = await settledOn(ground, {
        environment: 'prod',
        model,
        what: `prod/${model} to settle on another version`,
        fits: version => version !== from,
        withinMs: SETTLED_WITHIN_MS,
      });
      return `from ${from} to ${to} by ${sha.slice(0, 7)}`;
    },
  };
}
