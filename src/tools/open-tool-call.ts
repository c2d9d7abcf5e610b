import type { FileFacts } from '../events/message-part.js';
import type { PublicError, ToolOutcome } from '../events/run-event.js';
import type { Tool, ToolContext, ToolProgressUpdate, ToolRun } from './agent-tool.js';
import { getToolName, toUniqueId, type ToolCall } from './tool-call.js';

/** A call that has been announced and is still open. The first `end` counts; what comes after it changes nothing. */
export interface OpenToolCall {
  readonly toolCallId: string;
  progress: ToolContext['progress'];
  /** Tells people of a file that the call gives them. */
  give(file: FileFacts): void;
  /** Makes the call as part of the run's trace. */
  within<Result>(call: () => Promise<Result>): Promise<Result>;
  end(outcome: ToolOutcome, shown?: { readonly output?: unknown; readonly error?: PublicError }): void;
}

/** The parts of a call's announcement that depend on its tool. */
interface CallAnnouncement {
  /** Default: "Using", and the tool's name. */
  readonly label: string | undefined;
  /** The arguments as far as people may see them; undefined for none. */
  readonly input: unknown;
  /** True if the tool brings text of strangers. */
  readonly isForeign: boolean;
  /** Undefined for a tool that this application does not have. */
  readonly tool: Pick<Tool, 'description' | 'mcpServer'> | undefined;
}

/** Emits `tool-start`. The caller says how the call ends. */
export function announceCall(
  call: ToolCall,
  run: ToolRun,
  { label = `Using ${getToolName(call)}…`, input, isForeign, tool }: CallAnnouncement,
): OpenToolCall {
  const toolCallId = toUniqueId(call, run);
  const startedAt = performance.now();
  const toolName = getToolName(call);
  const telemetry = run.telemetry?.beginToolCall({
    toolCallId,
    toolName,
    description: tool?.description,
    mcpServer: tool?.mcpServer,
    args: call.args,
  });
  let open = true;
  let files = 0;

  const announcement = {
    toolCallId,
    toolName,
    stepId: call.stepId,
    messageId: run.messageId,
    label,
  };
  void run.emit({ type: 'tool-start', ...announcement, ...(input !== undefined && { input }) });

  return {
    toolCallId,
    progress: (update) => {
      if (open) void run.emit({ type: 'tool-progress', toolCallId, ...toProgress(update) });
    },
    give: (file) => {
      if (!open) return;
      const { stepId } = call;
      const { messageId } = run;
      const partId = `${toolCallId}-file-${++files}`;
      void run.emit({ type: 'file', partId, messageId, stepId, toolCallId, ...file });
    },
    within: async (made) => {
      if (!telemetry) return made();
      const result = await telemetry.within(made);
      telemetry.show(result);
      return result;
    },
    end: (outcome, shown = {}) => {
      if (!open) return;
      open = false;
      telemetry?.end(outcome, shown.error);
      const durationMs = Math.round(performance.now() - startedAt);
      // A failure is described in the tool's own words, which are a stranger's too.
      const foreign = isForeign && (outcome === 'ok' || outcome === 'error') && { foreign: true as const };
      void run.emit({ type: 'tool-end', toolCallId, outcome, ...shown, durationMs, ...foreign });
    },
  };
}

/** Field by field: what tools yield may come from anywhere, and must not become another event. */
function toProgress(update: unknown): Exclude<ToolProgressUpdate, string> {
  if (typeof update !== 'object' || update === null) return { message: String(update) };
  const { message, fraction, data } = update as Readonly<Record<string, unknown>>;
  return {
    ...(typeof message === 'string' && { message }),
    ...(typeof fraction === 'number' && { fraction }),
    ...(data !== undefined && { data }),
  };
}
