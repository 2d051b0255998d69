export * from './envelope.ts';
export * from './environment.ts';
export * from './known-fields.ts';
export * from './model.ts';
export * from './model-version.ts';
export * from './release.ts';
export * from './serving.ts';
export * from './signature.ts';
