import { describeCall, type RequestedInput } from '../../events/requested-input.js';
import { spellBoth } from './review-spellings.js';

/** An input that a run waits for, in the form of LangGraph's states and streams. */
export interface LangGraphInterrupt {
  readonly id: string;
  readonly value: unknown;
  /** JSON Schema of the answer, under LangGraph's own name for it. */
  readonly response_schema?: unknown;
}

/**
 * A graph's own interrupt as the graph wrote it. An approval has the shape of LangChain's human-in-the-loop middleware, which its components
 * know how to show; what has that shape has it {@link spellBoth in both spellings}; a tool of the client, and what an MCP server asks, are values that say what they are by their `type`.
 */
export function toInterrupt(request: RequestedInput): LangGraphInterrupt {
  const { inputId: id } = request;
  switch (request.kind) {
    case 'approval': {
      const { toolName, input } = request;
      return {
        id,
        value: spellBoth({
          actionRequests: [{ name: toolName, args: input, description: describeCall(request) }],
          reviewConfigs: [{ actionName: toolName, allowedDecisions: ['approve', 'edit', 'reject'] }],
        }),
      };
    }
    case 'interrupt':
      return {
        id,
        value: spellBoth(request.value),
        ...(request.schema && { response_schema: request.schema }),
      };
    case 'client-tool': {
      const { toolCallId, toolName, label, input } = request;
      const toolCall = { id: toolCallId, name: toolName, args: input };
      return { id, value: { type: 'client-tool', toolCall, label } };
    }
    case 'elicitation': {
      const { message, schema } = request;
      return {
        id,
        value: { type: 'elicitation', message, requestedSchema: schema },
        response_schema: schema,
      };
    }
    default:
      // A newer instance may have recorded what this one does not know.
      request satisfies never;
      return { id, value: null };
  }
}

/** A stop that the graph was compiled or started with. Any answer ends it. */
export function isBreakpoint(request: RequestedInput): boolean {
  return listNext(request).length > 0;
}

/** Lists the nodes before which a graph has stopped at a breakpoint. */
export function listNext(request: RequestedInput): readonly string[] {
  if (request.kind !== 'interrupt') return [];
  const { type, next } = (request.value ?? {}) as { readonly type?: unknown; readonly next?: unknown };
  return type === 'breakpoint' && Array.isArray(next) ? next.map(String) : [];
}
