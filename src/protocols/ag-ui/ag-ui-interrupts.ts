import { describeRequest } from '../../events/requested-input.js';
import type { ClientToolRequest, InputRequest } from '../../events/run-event.js';
import type { AgUiInterrupt } from './ag-ui-events.js';

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
