import type { PublicError, ToolOutcome } from '../events/run-event.js';
import type { ToolContext, ToolProgressUpdate, ToolRun } from './agent-tool.js';
import { getToolName, toUniqueId, type ToolCall } from './tool-call.js';

/** A call that has been announced and is still open. The first `end` counts; what comes after it changes nothing. */
export interface OpenToolCall {
  readonly toolCallId: string;
  progress: ToolContext['progress'];
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
}

/** Emits `tool-start`. The caller says how the call ends. */
export function announceCall(
  call: ToolCall,
  run: ToolRun,
  { label = `Using ${getToolName(call)}…`, input, isForeign }: CallAnnouncement,
): OpenToolCall {
  const toolCallId = toUniqueId(call, run);
  const startedAt = performance.now();
  let open = true;

  const announcement = {
    toolCallId,
    toolName: getToolName(call),
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
    end: (outcome, shown = {}) => {
      if (!open) return;
      open = false;
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
