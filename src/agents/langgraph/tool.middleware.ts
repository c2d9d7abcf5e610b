import { AIMessage, ToolMessage } from '@langchain/core/messages';
import { tool as langChainTool, type StructuredTool } from '@langchain/core/tools';
import { interrupt } from '@langchain/langgraph';
import { createMiddleware, type AgentMiddleware } from 'langchain';
import { jsonOf } from '../../events/plain-data.js';
import type { Tool } from '../../tools/agent-tool.js';
import type { ToolRegistry } from '../../tools/tool.registry.js';
import type { ToolTrackingService } from '../../tools/tool-tracking.service.js';
import { activeRunOf, namespaceOf, type ActiveRun } from './active-run.js';
import { stepIdOf } from './langgraph.mapper.js';

/** Where the arguments of a call go that are no JSON, so that the call is answered like any other that does not fit. */
const UNREADABLE = '__unreadable__';

/**
 * Gives a LangChain agent the tools of the registry: each model call sees those that its principal may use, and every call
 * that the model makes goes through {@link ToolTrackingService}, which LangChain's own tool node knows nothing about.
 */
export function toolMiddleware(registry: ToolRegistry, tracking: ToolTrackingService): AgentMiddleware {
  const described = new WeakMap<Tool, StructuredTool>();
  const describe = (tool: Tool) => {
    const known = described.get(tool) ?? descriptionOf(tool);
    described.set(tool, known);
    return known;
  };

  return createMiddleware({
    name: 'AgentStreamTools',
    wrapModelCall: async (request, handler) => {
      const { run } = requireRun(request.runtime);
      const tools = [...request.tools, ...registry.availableTo(run.principal).map(describe)];
      return readable(await handler({ ...request, tools }));
    },
    wrapToolCall: async ({ toolCall, runtime }) => {
      const { run, stepStarted, isInsideTool } = requireRun(runtime);
      const { id = '', name, args } = toolCall;
      const namespace = namespaceOf(configurableOf(runtime));
      const stepId = stepIdOf(namespace);
      stepStarted(namespace);
      const call = {
        toolCallId: id,
        toolName: name,
        stepId,
        args: isUnreadable(args) ? args[UNREADABLE] : args,
        nested: isInsideTool(namespace),
      };
      const answer = await tracking.call(call, run);
      // Leaves this task unfinished in the checkpoint; its siblings go on to their ends. The run that has the answer comes here again.
      if (answer.outcome === 'awaiting-approval') return interrupt(waitsFor(answer.approvalId));
      const { outcome, content } = answer;
      return new ToolMessage({
        tool_call_id: id,
        name,
        content: contentOf(content),
        status: outcome === 'ok' ? 'success' : 'error',
      });
    },
  });
}

/** What an interrupt of ours says. */
interface Waiting {
  readonly waitsFor: string;
}

function waitsFor(approvalId: string): Waiting {
  return { waitsFor: approvalId };
}

/** True when a task stopped for an approval, and not for something that its own graph wants to know. */
export function isAwaitingApproval(value: unknown): value is Waiting {
  return typeof value === 'object' && value !== null && 'waitsFor' in value;
}

/** A result as the model reads it. What JSON cannot say is named as such: the tool has done its work. */
function contentOf(result: unknown): string {
  if (typeof result === 'string') return result;
  return result === undefined ? 'Done.' : (jsonOf(result) ?? 'Done. The result cannot be written as JSON.');
}

/** What the model is told of a tool. It is called through the middleware and never through this object. */
function descriptionOf({ name, description, input }: Tool): StructuredTool {
  return langChainTool(() => '', { name, description, schema: input });
}

/** A call whose arguments are no JSON is still a call: the model has to be told, or it would wait for an answer for ever. */
function readable(message: AIMessage): AIMessage {
  const unreadable = AIMessage.isInstance(message) ? (message.invalid_tool_calls ?? []) : [];
  if (unreadable.length === 0) return message;
  const repaired = unreadable.map(({ id, name, args }) => ({
    type: 'tool_call' as const,
    id: id ?? '',
    name: name ?? '',
    args: { [UNREADABLE]: args ?? '' },
  }));
  return new AIMessage({
    ...(message.id && { id: message.id }),
    content: message.content,
    tool_calls: [...(message.tool_calls ?? []), ...repaired],
    response_metadata: message.response_metadata,
    ...(message.usage_metadata && { usage_metadata: message.usage_metadata }),
  });
}

/** Providers hand over whatever the model wrote, also when it is no object. */
function isUnreadable(args: unknown): args is { readonly [UNREADABLE]: unknown } {
  return typeof args === 'object' && args !== null && UNREADABLE in args;
}

function requireRun(runtime: object): ActiveRun {
  const active = activeRunOf({ configurable: configurableOf(runtime) });
  if (!active) throw new Error('This agent works inside a run: start it through RunService, not by itself.');
  return active;
}

function configurableOf(runtime: object): Record<string, unknown> {
  return ('configurable' in runtime ? runtime.configurable : undefined) as Record<string, unknown>;
}
