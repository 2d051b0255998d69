import type { Deed, Ground } from '../ground.ts';
import type { Change } from '../plan.ts';
import { badVersion } from './bad-version.ts';
import { goodVersion } from './good-version.ts';
import { revert } from './revert.ts';
import { rollback } from './rollback.ts';

export function changeDeed(ground: Ground, change: Change): Deed {
  switch (change.kind) {
    case 'good':
      return goodVersion(ground, change);
    case 'bad':
      return badVersion(ground, change);
    case 'rollback':
      return rollback(ground, change);
    case 'revert':
      return revert(ground, change);
  }
}
