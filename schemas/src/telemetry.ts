/** Metric names and labels: the runtime writes what others query, so the words stand once, here. Base units. */
export const METRICS = {
  inferenceSeconds: 'switchback_inference_duration_seconds',
  inferenceAttempts: 'switchback_inference_attempts_total',
  inferenceBatchRows: 'switchback_inference_batch_rows',
  enginesRunning: 'switchback_engines_running',
  engineRestarts: 'switchback_engine_restarts_total',
  snapshotAppliedTimestamp: 'switchback_snapshot_applied_timestamp_seconds',
  cycleStageSeconds: 'switchback_cycle_stage_duration_seconds',
  repositoryAgeSeconds: 'switchback_repository_age_seconds',
  observationAgeSeconds: 'switchback_observation_age_seconds',
  rollouts: 'switchback_rollouts',
  verdicts: 'switchback_verdicts_total',
  operationsOpen: 'switchback_operations_open',
} as const;
