/** Prefix of the paths that serve other client libraries. */
export const PROTOCOLS_PREFIX = 'protocols';
