import type { Backend, ModelStatistics } from '@switchback-ml/schemas';

/** What was counted of one version; what nobody counts is left out, rather than 0. */
export type Statistics = Omit<ModelStatistics, 'name' | 'version'>;

/** Where the `statistics` extension has its figures from. */
export interface StatsSource {
  /** Since this instance started; undefined: nothing was counted of it. */
  of(model: string, backend: Backend): Statistics | undefined;
}
