import { type Deed, event, type Ground, seconds } from '../ground.ts';
import { found } from '../wait.ts';

const BACK_WITHIN_MS = 60_000;

export function killController(ground: Ground): Deed {
  const { place, signal } = ground;
  let killed = 0;
  let killedAt = 0;
  return {
    what: 'the controller is killed',
    act: async () => {
      killed = await found('a controller', BACK_WITHIN_MS, signal, () => place.controller());
      killedAt = Date.now();
      place.processes.kill(killed);
    },
    prove: async () => {
      const { data } = await event(
        ground,
        'another controller',
        BACK_WITHIN_MS,
        ({ type, at, data: { pid } }) => type === 'controller.started' && at >= killedAt && pid !== killed,
      );
      await found('status', BACK_WITHIN_MS, signal, () => place.status());
      return `process ${killed} was replaced by ${String(data['pid'])}, which says its status after ${seconds(Date.now() - killedAt)}`;
    },
  };
}
