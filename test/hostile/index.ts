import { batches } from './batches.ts';
import type { HostileInputs } from './entry.ts';
import { gateway } from './gateway.ts';
import { git } from './git.ts';
import { inference } from './inference.ts';
import { lfs } from './lfs.ts';
import { management } from './management.ts';
import { manifests } from './manifests.ts';
import { models } from './models.ts';
import { page } from './page.ts';
import { tokens } from './tokens.ts';
import { webhooks } from './webhooks.ts';

/**
 * How many ids each group has, `M01` to `M33`, and where they are mapped; `also`: some of them, sent to another door
 * too. `scripts/hostile.mjs` holds us to it.
 */
export const groups: readonly {
  letter: string;
  ids: number;
  inputs: HostileInputs;
  also?: HostileInputs;
}[] = [
  { letter: 'M', ids: 33, inputs: manifests },
  { letter: 'L', ids: 14, inputs: lfs },
  { letter: 'G', ids: 17, inputs: git },
  { letter: 'O', ids: 16, inputs: models },
  { letter: 'H', ids: 22, inputs: inference, also: gateway },
  { letter: 'W', ids: 12, inputs: webhooks },
  { letter: 'J', ids: 16, inputs: tokens },
  { letter: 'A', ids: 13, inputs: management },
  { letter: 'B', ids: 10, inputs: batches },
  { letter: 'D', ids: 8, inputs: page },
];
