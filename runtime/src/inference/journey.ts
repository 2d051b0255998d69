import type { ChosenBy, Served, Stages } from '../telemetry/served.ts';
import type { InferenceCall } from './call.ts';

type Noted =
  | 'by'
  | 'id'
  | 'commit'
  | 'from'
  | 'rows'
  | 'batchRows'
  | 'batch'
  | 'attempts'
  | 'failed'
  | 'stages';

/** What is noted of a request on its way: what measuring will want to know of it. */
export class Journey implements Pick<Served, Noted> {
  by: ChosenBy;
  id: string | null = null;
  commit: string | null = null;
  from: Served['from'] = 'engine';
  rows = 0;
  batchRows = 0;
  batch: object | null = null;
  attempts = 0;
  failed: Served['failed'] = null;
  /** What a label that is known later is told with; null: it is not kept what was asked. */
  predictionId: string | null = null;
  /** Whether the answer holds a NaN or an infinity. */
  isNonFinite = false;
  readonly stages: Stages = { parseMs: 0, queueMs: 0, batchMs: 0, runMs: 0, encodeMs: 0 };

  constructor(by: ChosenBy) {
    this.by = by;
  }
}

/** Of a call that has not gone anywhere yet. */
export function journeyOf({ version }: Pick<InferenceCall, 'version'>): Journey {
  return new Journey(version === null ? 'weight' : 'version');
}
