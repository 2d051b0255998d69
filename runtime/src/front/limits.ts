/** Of a body, also once decompressed. */
export const LARGEST_BODY_BYTES = 8 * 2 ** 20;
/** For a whole request to arrive; a slow sender is cut off. */
export const REQUEST_TIMEOUT_MS = 30_000;
/** How long a connection may wait for its next request. */
export const KEEP_ALIVE_MS = 72_000;
