import { cutOffs } from './cut-off.ts';
import { deaths } from './deaths.ts';
import { machine } from './machine.ts';
import { network } from './network.ts';
import { repository } from './repository.ts';
import type { Scenario } from './scenario.ts';
import { stalls } from './stall.ts';

export const scenarios: readonly Scenario[] = [
  ...cutOffs,
  ...stalls,
  ...deaths,
  ...network,
  ...repository,
  ...machine,
];
