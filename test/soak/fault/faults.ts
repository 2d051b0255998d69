import type { Deed, Ground } from '../ground.ts';
import type { Fault } from '../plan.ts';
import { killController } from './controller.ts';
import { breakEngine } from './engine.ts';
import { killFront } from './front.ts';
import { takeRemoteAway } from './remote.ts';

export function faultDeed(ground: Ground, fault: Fault): Deed {
  switch (fault.kind) {
    case 'controller killed':
      return killController(ground);
    case 'front killed':
      return killFront(ground, fault.environment);
    case 'engine killed':
    case 'engine stopped':
      return breakEngine(ground, fault);
    case 'remote away':
      return takeRemoteAway(ground, fault.how);
  }
}
