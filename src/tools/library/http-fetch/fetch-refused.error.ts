import { ToolError } from '../../tool.error.js';

/**
 * We do not fetch this. The message names what was asked for: never an address that a name led to, for that would tell what is inside our network,
 * and no path or query, which may hold a secret.
 */
export class FetchRefusedError extends ToolError {}
