export * from './canonical.ts';
export * from './error-codes.ts';
export * from './identity.ts';
export * from './manifest/index.ts';
export * from './scalars.ts';
export * from './telemetry.ts';
export * from './version-text.ts';
export * from './wire/index.ts';
