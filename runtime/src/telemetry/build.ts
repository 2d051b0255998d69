import runtime from '../../package.json' with { type: 'json' };

/** What runs, for people who ask why two machines differ. */
export const BUILD = { version: runtime.version, node: process.versions.node } as const;
