import { z } from 'zod';
import { HistoryItem } from '../registry/history.ts';
import type { DeploymentAddress } from './address.ts';
import { openManagement } from './controller/management.ts';

export interface HistoryOptions extends DeploymentAddress {
  state: string;
  signal?: AbortSignal;
}

const History = z.object({ items: z.array(HistoryItem) });

/** What ran in one deployment and how it ended, newest first, as the controller reads it from git. */
export async function history({ state, environment, model, signal }: HistoryOptions): Promise<HistoryItem[]> {
  const path = `/history?${new URLSearchParams({ environment, model })}`;
  return (await openManagement(state).get(path, History, signal ? { signal } : {})).items;
}
