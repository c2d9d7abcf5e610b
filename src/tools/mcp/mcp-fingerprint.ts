import { createHash } from 'node:crypto';
import type { McpToolDescription } from './mcp-connection.js';

/**
 * Returns what tells one description of a tool from another: a hash of everything in it that a model or a person goes by. The order of
 * the fields of an object does not matter.
 *
 * @throws RangeError for one that is nested too deeply to be read
 */
export function toFingerprint({
  name,
  title,
  description,
  inputSchema,
  annotations,
}: McpToolDescription): string {
  const facts = { name, title, description, inputSchema, annotations };
  return createHash('sha256')
    .update(JSON.stringify(sorted(facts)))
    .digest('base64url');
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, field]) => [name, sorted(field)]);
}
