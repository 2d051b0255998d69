export * from './event.ts';
export * from './golden.ts';
export * from './inference.ts';
export * from './observation.ts';
export * from './snapshot.ts';
export * from './status.ts';
export * from './verdict.ts';
