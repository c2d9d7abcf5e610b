import type { FinishReason } from '../../events/run-event.js';

/** Providers' names for it, in lower case: OpenAI, Anthropic, Ollama, Gemini, Mistral, Bedrock, Cohere, Zhipu, and the gateways before them. */
const LENGTHS = new Set([
  'length',
  'max_tokens',
  'max_output_tokens',
  'model_length',
  'model_context_window_exceeded',
]);
const FILTERS = new Set([
  'content_filter',
  'content-filter',
  'safety',
  'recitation',
  'blocklist',
  'prohibited_content',
  'spii',
  'image_safety',
  'content_filtered',
  'guardrail_intervened',
  'error_toxic',
  'sensitive',
]);

const REASONS = ['finish_reason', 'stop_reason', 'done_reason'];

/**
 * Reads why a model stopped from what its message tells beside the words. Undefined when it came to its own end, or called tools, or says nothing
 * of it.
 */
export function readFinishReason(fields: Fields): FinishReason | undefined {
  const name = readName(fields);
  if (name === undefined) return undefined;
  if (LENGTHS.has(name)) return 'length';
  if (FILTERS.has(name)) return 'content-filter';
  return name === 'refusal' ? 'refusal' : undefined;
}

/**
 * True if the provider's filter stopped the answer, so that the conversation cannot go on with it. A model that refuses in its own words can be
 * talked to; Anthropic's `refusal` is a classifier's, and its turn has to be removed.
 */
export function isFilterReason(fields: Fields): boolean {
  return readFinishReason(fields) === 'content-filter' || fields['stop_reason'] === 'refusal';
}

/** Removes everything that tells why a model stopped. */
export function removeReasons(fields: Record<string, unknown>): void {
  for (const name of ['incomplete_details', ...REASONS]) delete fields[name];
}

type Fields = Readonly<Record<string, unknown>>;

function readName(fields: Fields): string | undefined {
  const { incomplete_details: details } = fields;
  const inside =
    typeof details === 'object' && details !== null && 'reason' in details ? details.reason : undefined;
  const reason =
    inside ?? REASONS.map((field) => fields[field]).find((said) => said !== undefined && said !== null);
  return typeof reason === 'string' ? reason.toLowerCase() : undefined;
}
