import { Status } from '@switchback-ml/schemas';
import { openManagement } from './controller/management.ts';

export interface StatusOptions {
  state: string;
  signal?: AbortSignal;
}

/** How everything stands, as the running controller sees it. Throws NoController when there is none. */
export async function status({ state, signal }: StatusOptions): Promise<Status> {
  return openManagement(state).get('/status', Status, signal ? { signal } : {});
}
