import type { EnvironmentName, Instant, ModelName } from '@switchback-ml/schemas';
import { z } from 'zod';
import { SwitchbackError } from '../error.ts';
import { HistoryItem, historyItems } from '../registry/history.ts';
import { firstKnownAt, type RanAt, ranAt } from '../registry/ran-at.ts';
import { NoController, openManagement } from './controller/management.ts';
import { parseTime } from './time.ts';
import { type Read, type ReadOptions, readRepository, type Source } from './workspace/read.ts';

export interface HistoryRequest {
  /** Absent: of all. */
  environment?: EnvironmentName | undefined;
  model?: ModelName | undefined;
}

export interface History {
  items: HistoryItem[];
  source: Source;
}

export interface Then {
  at: Instant;
  items: RanAt[];
  source: Source;
}

const Answer = z.object({ items: z.array(HistoryItem) });

/** What ran and how it ended, newest first: as a running controller reads it from git, else from git itself. */
export async function history(request: HistoryRequest, options: ReadOptions): Promise<History> {
  const asked = options.repo === undefined ? await askController(request, options) : null;
  if (asked) return asked;
  const { look, source } = await readRepository(options);
  return { items: historyItems(look.view, request), source };
}

/** What ran at one time. Always from git itself, so that it can be asked when nothing runs any more. */
export async function historyAt(
  { at: text, ...request }: HistoryRequest & { at: string },
  options: ReadOptions,
): Promise<Then> {
  // Refused before anything is fetched.
  parseTime(text, Date.now());
  const { look, source } = await readRepository(options);
  const at = parseTime(text, look.now);
  refuseUnknown(at, { look, source });
  return { at, items: ranAt(look.view, { ...request, at, now: look.now }), source };
}

function refuseUnknown(at: Instant, { look: { view, now }, source }: Read): void {
  const iso = (instant: Instant): string => new Date(instant).toISOString();
  if (at > now)
    throw new SwitchbackError(
      'E_USAGE',
      `${iso(at)} is still to come; git knows what was, up to ${iso(now)}.`,
    );
  const first = firstKnownAt(view, now);
  const branch = source.kind === 'git' ? source.branch : 'the branch';
  if (first === null)
    throw new SwitchbackError('E_NOT_FOUND', `${branch} has no commit of a model repository yet.`);
  if (at < first)
    throw new SwitchbackError(
      'E_NOT_FOUND',
      `The history of ${branch} begins at ${iso(first)}; at ${iso(at)} there was nothing yet.`,
    );
}

/** Null when no controller answers. */
async function askController(
  { environment, model }: HistoryRequest,
  { state, signal }: ReadOptions,
): Promise<History | null> {
  const query = new URLSearchParams({ ...(environment && { environment }), ...(model && { model }) });
  try {
    const management = openManagement(state);
    const { items } = await management.get(`/history?${query}`, Answer, { signal });
    return { items, source: { kind: 'controller', address: management.address, notes: [] } };
  } catch (error) {
    if (error instanceof NoController) return null;
    throw error;
  }
}
