/** Of the protocol, whatever carries it; over HTTP there is the one of binary tensors besides. */
export const EXTENSIONS: readonly string[] = [
  'classification',
  'model_repository',
  'statistics',
  'model_configuration',
  'schedule_policy',
  'parameters',
];
