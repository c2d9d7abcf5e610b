import { ToolMessage } from '@langchain/core/messages';
import { tool as langChainTool, type StructuredTool } from '@langchain/core/tools';
import { interrupt } from '@langchain/langgraph';
import { createMiddleware, type AgentMiddleware } from 'langchain';
import { toJson } from '../../events/plain-data.js';
import type { Tool } from '../../tools/agent-tool.js';
import { MediaResult } from '../../tools/media-result.js';
import type { ToolRegistry } from '../../tools/tool.registry.js';
import type { ToolTrackingService } from '../../tools/tool-tracking.service.js';
import { getActiveRun, parseNamespace, type ActiveRun } from './active-run.js';
import { getStepId } from './named-steps.js';
import { imagesFor, toImageBlock } from './result-images.js';
import { strictHistory } from './strict-history.js';
import { isUnreadable, UNREADABLE, UNREADABLE_WORDS } from './unreadable-calls.js';

/**
 * Gives a LangChain agent the tools of the registry: each model call sees those that its principal may use, and every call
 * that the model makes goes through {@link ToolTrackingService}, which LangChain's own tool node knows nothing about.
 */
export function toolMiddleware(registry: ToolRegistry, tracking: ToolTrackingService): AgentMiddleware {
  const described = new WeakMap<Tool, StructuredTool>();
  const describe = (tool: Tool) => {
    const known = described.get(tool) ?? describeTool(tool);
    described.set(tool, known);
    return known;
  };

  return createMiddleware({
    name: 'AgentStreamTools',
    wrapModelCall: async (request, handler) => {
      const { run } = requireRun(request.runtime);
      const ofClient = run.clientTools ? [...run.clientTools.values()] : [];
      const tools = [
        ...request.tools,
        ...[...registry.availableTo(run.principal), ...ofClient].map(describe),
      ];
      const messages = [...imagesFor(request.model, strictHistory(request.messages))];
      return handler({ ...request, tools, messages });
    },
    wrapToolCall: async ({ toolCall, runtime }) => {
      const { run, stepStarted, isInsideTool } = requireRun(runtime);
      const { id = '', name, args } = toolCall;
      const namespace = parseNamespace(getConfigurable(runtime));
      const stepId = getStepId(namespace);
      stepStarted(namespace);
      const call = {
        toolCallId: id,
        toolName: name,
        stepId,
        args: isUnreadable(args) ? args[UNREADABLE] : args,
        nested: isInsideTool(namespace),
      };
      const reply = await tracking.call(call, run);
      // Leaves this task unfinished in the checkpoint; its siblings go on to their ends. The run that has the answer comes here again.
      if (reply.outcome === 'awaiting-input') return interrupt({ [OURS]: reply.inputId });
      const { outcome } = reply;
      const content = isUnreadable(args) ? `${UNREADABLE_WORDS}\n${toText(reply.content)}` : reply.content;
      return new ToolMessage({
        tool_call_id: id,
        name,
        content: toContent(content),
        status: outcome === 'ok' ? 'success' : 'error',
      });
    },
  });
}

/** In the value of an interrupt of ours: the id of the input that was asked for. */
const OURS = '__agent_stream_input';

/** True when a task stopped for an approval, and not for something that its own graph wants to know. */
export function isOurInterrupt(value: unknown): boolean {
  return typeof value === 'object' && value !== null && OURS in value;
}

/** A result as the model reads it. What JSON cannot say is named as such: the tool has done its work. */
function toContent(result: unknown): ToolMessage['content'] {
  if (!(result instanceof MediaResult)) return toText(result);
  return [{ type: 'text', text: toText(result.words) }, ...result.images.map(toImageBlock)];
}

function toText(result: unknown): string {
  if (typeof result === 'string') return result;
  return result === undefined ? 'Done.' : (toJson(result) ?? 'Done. The result cannot be written as JSON.');
}

/** Describes a tool for the model. It is called through the middleware and never through this object. */
function describeTool({ name, description, input, inputSchema: schema }: Tool): StructuredTool {
  if (schema) return langChainTool(() => '', { name, description, schema: { ...schema } });
  return langChainTool(() => '', { name, description, schema: input });
}

function requireRun(runtime: object): ActiveRun {
  const active = getActiveRun({ configurable: getConfigurable(runtime) });
  if (!active)
    throw new Error('toolMiddleware works only inside a run. Start the agent with RunService.start.');
  return active;
}

function getConfigurable(runtime: object): Record<string, unknown> {
  return ('configurable' in runtime ? runtime.configurable : undefined) as Record<string, unknown>;
}
