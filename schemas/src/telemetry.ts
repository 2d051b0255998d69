/**
 * Metric names: the runtime writes what others query, so the words stand once, here. Base units. What each means, and
 * its labels: docs/reference/metrics.md.
 */
export const METRICS = {
  // attempts of revisions at requests
  inferenceSeconds: 'switchback_inference_duration_seconds',
  inferenceAttempts: 'switchback_inference_attempts_total',
  inferenceBatchRows: 'switchback_inference_batch_rows',
  // requests
  requests: 'switchback_requests_total',
  requestErrors: 'switchback_request_errors_total',
  requestSeconds: 'switchback_request_duration_seconds',
  requestStageSeconds: 'switchback_request_stage_duration_seconds',
  requestRows: 'switchback_request_rows_total',
  requestRetries: 'switchback_request_retries_total',
  requestBytes: 'switchback_request_bytes_total',
  responseBytes: 'switchback_response_bytes_total',
  cacheResults: 'switchback_cache_results_total',
  shadowCopies: 'switchback_shadow_copies_total',
  shadowDifference: 'switchback_shadow_difference_ratio',
  // queues
  queueRequests: 'switchback_queue_requests',
  queueRows: 'switchback_queue_rows',
  queueDrain: 'switchback_queue_drain_rows_per_second',
  batchWait: 'switchback_batch_wait_seconds',
  batchFixedCost: 'switchback_batch_fixed_cost_seconds',
  batchRowCost: 'switchback_batch_row_cost_seconds',
  // engines and what they cost
  enginesRunning: 'switchback_engines_running',
  engineRestarts: 'switchback_engine_restarts_total',
  engineMemory: 'switchback_engine_resident_memory_bytes',
  modelCpu: 'switchback_model_cpu_seconds_total',
  modelCpuPerThousand: 'switchback_model_cpu_seconds_per_1000_predictions',
  // revisions, and the memory that they share
  revisions: 'switchback_revisions',
  revisionMemory: 'switchback_revision_memory_bytes',
  revisionEvictions: 'switchback_revision_evictions_total',
  revisionWakeSeconds: 'switchback_revision_wake_duration_seconds',
  revisionWakesRefused: 'switchback_revision_wakes_refused_total',
  engineMemoryBudget: 'switchback_engine_memory_budget_bytes',
  engineMemoryHeld: 'switchback_engine_memory_held_bytes',
  // answers that are remembered, here and in Redis
  cacheEntries: 'switchback_cache_entries',
  cacheBytes: 'switchback_cache_held_bytes',
  cacheBudget: 'switchback_cache_budget_bytes',
  cacheRevisionBytes: 'switchback_cache_revision_held_bytes',
  cacheForgotten: 'switchback_cache_forgotten_total',
  redisState: 'switchback_cache_redis_state',
  redisRoundTrip: 'switchback_cache_redis_round_trip_seconds',
  redisAsked: 'switchback_cache_redis_asked',
  redisLookups: 'switchback_cache_redis_lookups_total',
  redisWrites: 'switchback_cache_redis_writes_total',
  redisWritesPending: 'switchback_cache_redis_writes_pending',
  // the runtime itself
  snapshotAppliedTimestamp: 'switchback_snapshot_applied_timestamp_seconds',
  snapshotAge: 'switchback_snapshot_age_seconds',
  unexpectedFailures: 'switchback_unexpected_failures_total',
  foldedSeries: 'switchback_series_folded_total',
  recordsDropped: 'switchback_telemetry_dropped_total',
  buildInfo: 'switchback_build_info',
  // the gateway
  gatewayRequests: 'switchback_gateway_requests_total',
  gatewayRequestSeconds: 'switchback_gateway_request_duration_seconds',
  gatewayRetries: 'switchback_gateway_retries_total',
  gatewayRequestsWaiting: 'switchback_gateway_requests_waiting',
  gatewayRuntimeRequests: 'switchback_gateway_runtime_requests',
  gatewayRuntimeConnections: 'switchback_gateway_runtime_connections',
  gatewayRuntimeStanding: 'switchback_gateway_runtime_standing',
  gatewayClientConnections: 'switchback_gateway_client_connections',
  gatewayHeldBytes: 'switchback_gateway_held_bytes',
  gatewayListingFailures: 'switchback_gateway_listing_failures_total',
  // controller
  repositoryAgeSeconds: 'switchback_repository_age_seconds',
  observationAgeSeconds: 'switchback_observation_age_seconds',
  rollouts: 'switchback_rollouts',
  verdicts: 'switchback_verdicts_total',
  operationsOpen: 'switchback_operations_open',
} as const;

/** Headers of an answer that say more of how it came about. Which revision spoke: ANSWERED_BY. */
export const TOLD_BY = {
  digest: 'x-switchback-digest',
  commit: 'x-switchback-commit',
  predictionId: 'x-switchback-prediction-id',
  timing: 'server-timing',
} as const;
