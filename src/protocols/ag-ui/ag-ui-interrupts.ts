import { describeRequest } from '../../events/requested-input.js';
import type { ClientToolRequest, InputRequest, RunEnd } from '../../events/run-event.js';
import type { AgUiInterrupt, AgUiOutcome } from './ag-ui-events.js';

/** The schema of an answer to an interrupt: what the native API takes as a decision. */
const ANSWER_SCHEMA = {
  type: 'object',
  required: ['approved'],
  properties: {
    approved: { type: 'boolean' },
    editedArgs: { type: 'object', description: 'The whole arguments, in place of those that were shown.' },
    reason: { type: 'string' },
  },
};

/** A tool of the client is not interrupted for: it is a call without a result. */
type AgUiRequest = Exclude<InputRequest, ClientToolRequest>;

/** Returns a request for input as AG-UI's interrupt. */
export function toInterrupt(request: AgUiRequest): AgUiInterrupt {
  const { inputId, expiresAt } = request;
  return {
    id: inputId,
    message: describeRequest(request),
    ...toKindFields(request),
    ...(expiresAt !== undefined && { expiresAt: new Date(expiresAt).toISOString() }),
  };
}

/** Returns AG-UI's fields of a request, by its kind. Its values are in `metadata`, which is for what the agent wants the client to know. */
function toKindFields(request: AgUiRequest): Omit<AgUiInterrupt, 'id' | 'message' | 'expiresAt'> {
  switch (request.kind) {
    case 'approval':
      return { reason: 'tool_call', toolCallId: request.toolCallId, responseSchema: ANSWER_SCHEMA };
    case 'interrupt': {
      const { value, schema } = request;
      return { reason: 'interrupt', metadata: { value }, ...(schema && { responseSchema: schema }) };
    }
    case 'elicitation':
      return { reason: 'input_required', responseSchema: request.schema };
    default:
      // A newer instance may have recorded what this one does not know.
      request satisfies never;
      return { reason: 'input_required' };
  }
}

/**
 * Returns how a run ended, as far as it is no plain success, which has no word.
 *
 * @param interrupts those that are still open
 */
export function toOutcome(
  outcome: Exclude<RunEnd['outcome'], 'failed'>,
  interrupts: readonly AgUiInterrupt[],
  dialect: '1.0' | '0',
): { readonly outcome?: AgUiOutcome } {
  if (outcome === 'awaiting-input' && interrupts.length > 0)
    return { outcome: { type: 'interrupt', interrupts } };
  if (outcome === 'cancelled' && dialect === '1.0') return { outcome: { type: 'cancelled' } };
  return {};
}
