import type { ChosenBy, Served, Stages } from '../telemetry/served.ts';

/** What is noted of a request on its way: what measuring will want to know of it. */
export class Journey implements Pick<Served, 'by' | 'from' | 'rows' | 'batchRows' | 'batch' | 'attempts'> {
  by: ChosenBy;
  from: Served['from'] = 'engine';
  rows = 0;
  batchRows = 0;
  batch: object | null = null;
  attempts = 0;
  /** What a label that is known later is told with; null: it is not kept what was asked. */
  predictionId: string | null = null;
  /** Whether the answer holds a NaN or an infinity. */
  isNonFinite = false;
  readonly stages: Stages = { parseMs: 0, queueMs: 0, runMs: 0, encodeMs: 0 };

  constructor(by: ChosenBy) {
    this.by = by;
  }
}
