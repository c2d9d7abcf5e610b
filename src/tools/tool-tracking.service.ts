import { Injectable } from '@nestjs/common';
import { AppError, toPublicError } from '../errors.js';
import type { ClientTool } from '../events/client-tool.js';
import type { ApprovalRequest, ClientToolRequest, ToolOutcome } from '../events/run-event.js';
import { SecurityLog } from '../security/security-log.service.js';
import { Switches } from '../switches/switches.js';
import type { Principal } from '../principal.js';
import type { Tool, ToolContext, ToolRun } from './agent-tool.js';
import { MediaResult } from './media-result.js';
import { toInputId, ApprovalPolicy, type ApprovalQuestion } from './approval.policy.js';
import { CallQuestions } from './call-questions.js';
import { refuseTool, toClientTools } from './client-tool.js';
import { expose } from './exposure.js';
import { announceCall, type OpenToolCall } from './open-tool-call.js';
import {
  checkCall,
  rejectDenied,
  rejectSwitchedOff,
  getToolName,
  rejectTainted,
  rejectUnmade,
  approvalUnavailable,
  clientUnavailable,
  toUniqueId,
  errorMessage,
  type Attempt,
  type Callable,
  type Rejection,
  type ToolCall,
} from './tool-call.js';
import { ToolCallSlots } from './tool-call-slots.js';
import { executeTool } from './tool-execution.js';
import { TaintPolicy } from './taint.policy.js';
import { ToolRegistry } from './tool.registry.js';

/**
 * The model's part of a call: the tool's result, or an explanation of what went wrong, so that it can try something else. Or nothing
 * yet: the run has to stop here, until a person has decided.
 */
export type ToolReply =
  | { readonly outcome: Exclude<ToolOutcome, 'awaiting-input'>; readonly content: unknown }
  | { readonly outcome: 'awaiting-input'; readonly inputId: string };

/** A call that can be made, with the label that people read. */
type LabelledCall = Callable & { readonly label: string };

/** A request about a call, less what the call itself says. */
type AskedCall<Request extends ApprovalRequest | ClientToolRequest> = Omit<
  Request,
  'type' | 'inputId' | 'toolCallId' | 'stepId'
>;

const DEFAULT_TIMEOUT_MS = 60_000;

/**
 * Stands between a model and its tools. Every call that a model makes is announced with `tool-start` and concluded with
 * `tool-end`, whatever becomes of it: a result, an exception, arguments that do not fit, a tool that does not exist or is
 * not for this principal, silence, a cancelled run. Only a few of a run are made at once; when it is cancelled, those that still wait
 * are not announced at all. People see how it went and for how long; what was in it they see as far as
 * the tool allows.
 */
@Injectable()
export class ToolTrackingService {
  constructor(
    private readonly registry: ToolRegistry,
    private readonly approvals: ApprovalPolicy = new ApprovalPolicy(),
    private readonly slots: ToolCallSlots = new ToolCallSlots(),
    private readonly taint: TaintPolicy = new TaintPolicy(),
    private readonly security: SecurityLog = new SecurityLog(),
    private readonly switches: Switches = new Switches(),
  ) {}

  /**
   * Makes a call, and tells the run about it; or asks a person first, and makes it in the run that goes on with the answer.
   * Never rejects while the run goes on: a failure is an answer to the model.
   *
   * @throws the reason of `run.signal` once that is aborted
   */
  async call(call: ToolCall, run: ToolRun): Promise<ToolReply> {
    const decided = run.decisions.get(toInputId(call))?.answer;
    const ofClient = run.clientTools?.get(call.toolName);
    const tool = ofClient ?? this.registry.get(call.toolName);
    const checked = await checkCall(tool, { call, run, decision: decided });
    if (!('tool' in checked)) {
      if (checked.outcome === 'denied') this.recordRefusal(call, run, 'role');
      return this.refuse(checked, call, run);
    }
    const attempt = { call, run, decision: decided };
    const labelled = { ...checked, label: getLabel(checked.tool, checked.input) };
    const off = this.switches.refuseTool(checked.tool.name);
    if (off) return this.forbid(rejectSwitchedOff(off), 'switched-off', attempt, labelled.label);
    return ofClient ? this.callClient(labelled, attempt) : this.callOwn(labelled, attempt);
  }

  /** A call of a tool of this application. */
  private async callOwn(
    { tool, input, label }: LabelledCall,
    { call, run, decision: decided }: Attempt,
  ): Promise<ToolReply> {
    if (decided?.decision === 'deny') return this.refuse(rejectDenied(tool, decided), call, run, label);
    const objection = decided ? undefined : await this.taint.findObjection(tool, input, run.sources);
    run.signal.throwIfAborted();
    if (objection?.rule === 'deny')
      return this.forbid(rejectTainted(tool, objection.reason), 'tainted', { call, run }, label);
    const question = decided ? undefined : this.findQuestion({ tool, input }, objection?.reason, run);
    if (!question) return this.executeInTurn({ tool, input, label }, { call, run, decision: decided });
    if (call.nested) return this.refuse(approvalUnavailable(tool), call, run, label);
    return this.ask({ kind: 'approval', ...question, toolName: tool.name, label }, call, run);
  }

  /** A call of a tool that the front end runs: the client is asked for its result, which the run that goes on takes. */
  private callClient({ tool, input, label }: LabelledCall, { call, run, decision }: Attempt): ToolReply {
    if (decision?.decision === 'deny') return this.refuse(rejectUnmade(tool, decision), call, run, label);
    if (decision?.decision === 'answer') {
      const { value } = decision;
      this.begin(call, run, label, input).end('ok', { output: value });
      return { outcome: 'ok', content: value };
    }
    if (call.nested) return this.refuse(clientUnavailable(tool), call, run, label);
    const expiresAt = this.approvals.expiresAt();
    return this.ask({ kind: 'client-tool', input, expiresAt, toolName: tool.name, label }, call, run);
  }

  /**
   * Checks the tools that a front end declares for a run.
   *
   * @throws AppError REQUEST_INVALID for one that cannot be shown to a model, or has the name of a tool that the principal has here
   */
  checkClientTools(declared: readonly ClientTool[], principal: Principal): void {
    const names = toClientTools(declared);
    const taken = this.registry.availableTo(principal).find(({ name }) => names.has(name));
    if (taken) throw refuseTool(taken.name, 'The agent has a tool of this name. Use another one.');
  }

  /** Returns the time at which an input that is requested now counts as denied, in milliseconds since the epoch. */
  inputExpiresAt(): number {
    return this.approvals.expiresAt();
  }

  /** Announces a call that somebody else makes, such as a node of a team's own graph; the caller says how it ends. */
  begin(call: ToolCall, run: ToolRun, label?: string, input?: unknown): OpenToolCall {
    const tool = this.registry.get(call.toolName);
    const isForeign = this.taint.isForeign(getToolName(call), tool);
    return announceCall(call, run, { label, input, isForeign, tool });
  }

  private findQuestion(
    { tool, input }: Callable,
    reason: string | undefined,
    { principal }: ToolRun,
  ): ApprovalQuestion | undefined {
    if (reason === undefined) return this.approvals.findQuestion(tool, input, principal);
    return { ...this.approvals.toQuestion(tool, input), reason };
  }

  /** Records a refusal without a person's decision, for operators. */
  private forbid(
    fault: Rejection,
    reason: string,
    { call, run }: Pick<Attempt, 'call' | 'run'>,
    label: string,
  ): ToolReply {
    this.recordRefusal(call, run, reason);
    return this.refuse(fault, call, run, label);
  }

  private recordRefusal(call: ToolCall, { principal, runId, threadId }: ToolRun, reason: string): void {
    const subject = getToolName(call);
    this.security.record({ type: 'tool-refused', principal, reason, subject, runId, threadId });
  }

  private refuse(
    { outcome, publicError, modelMessage }: Rejection,
    call: ToolCall,
    run: ToolRun,
    label?: string,
  ): ToolReply {
    this.begin(call, run, label).end(outcome, { error: publicError });
    return { outcome, content: modelMessage };
  }

  /** The call is not announced as begun: whether it ever is, the answer decides. */
  private ask(
    asked: AskedCall<ApprovalRequest> | AskedCall<ClientToolRequest>,
    call: ToolCall,
    run: ToolRun,
  ): ToolReply {
    const inputId = toInputId(call);
    const toolCallId = toUniqueId(call, run);
    const { stepId } = call;
    void run.emit({ type: 'input-request', inputId, toolCallId, stepId, ...asked });
    return { outcome: 'awaiting-input', inputId };
  }

  /** A call is announced when it is its turn: one that has only waited when the process dies was never begun. */
  private async executeInTurn(callable: LabelledCall, attempt: Attempt): Promise<ToolReply> {
    const { call, run } = attempt;
    // A call inside another has that one's slot: if it waited for its own, both could wait for ever.
    if (call.nested) return this.execute(callable, attempt);
    const release = await this.slots.enter(run);
    try {
      return await this.execute(callable, attempt);
    } finally {
      release();
    }
  }

  private async execute(
    { tool, input, label }: LabelledCall,
    { call, run, decision }: Attempt,
  ): Promise<ToolReply> {
    const open = this.begin(call, run, label, expose(tool.expose?.input, input));
    const timeoutMs = tool.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(createTimeoutError(tool, timeoutMs)), timeoutMs);
    const questions = new CallQuestions(call, run, (reason) => timeout.abort(reason));
    const stopWatching = this.switches.onChange(() => {
      const off = this.switches.refuseTool(tool.name);
      if (off) timeout.abort(off);
    });

    try {
      // A process that dies during the call has to leave word of it; else the next owner would make it again.
      if (tool.sideEffect === 'once') await run.recorded();
      run.signal.throwIfAborted();
      const context: ToolContext = {
        runId: run.runId,
        threadId: run.threadId,
        toolCallId: open.toolCallId,
        principal: run.principal,
        signal: AbortSignal.any([run.signal, timeout.signal]),
        idempotencyKey: `${run.runId}:${call.stepId}:${call.toolCallId}`,
        mayReach: (host) => this.taint.mayReach(host, run.sources),
        ask: questions.ask,
        progress: open.progress,
        ...(decision && { approvedBy: decision.by }),
      };
      const result = await open.within(() => executeTool(tool, input, context));
      const output = expose(tool.expose?.output, result instanceof MediaResult ? result.words : result);
      if (result instanceof MediaResult && tool.expose?.output === true)
        for (const file of await result.keepImages(run.keepFile)) open.give(file);
      open.end('ok', output === undefined ? {} : { output });
      return { outcome: 'ok', content: decision?.decision === 'edit' ? withEdit(input, result) : result };
    } catch (error) {
      if (run.signal.aborted) {
        open.end('cancelled');
        throw run.signal.reason;
      }
      if (questions.unanswered) {
        open.end('awaiting-input');
        const { inputId } = questions.unanswered;
        void run.emit({ ...questions.unanswered, expiresAt: this.approvals.expiresAt() });
        return { outcome: 'awaiting-input', inputId };
      }
      const outcome = toOutcome(timeout.signal);
      open.end(outcome, {
        error: toPublicError(error, { code: 'TOOL_FAILED', message: 'The tool failed.' }),
      });
      return { outcome, content: `The tool '${tool.name}' failed: ${errorMessage(error)}` };
    } finally {
      clearTimeout(timer);
      stopWatching();
    }
  }
}

/** Returns the outcome of a failed call: its own failure, or that it was stopped. */
function toOutcome({ aborted, reason }: AbortSignal): 'error' | 'denied' | 'timeout' {
  if (!aborted) return 'error';
  return reason instanceof AppError && reason.code === 'TOOL_DENIED' ? 'denied' : 'timeout';
}

function createTimeoutError({ name }: Tool, timeoutMs: number): AppError {
  const seconds = timeoutMs / 1000;
  return new AppError('TOOL_TIMEOUT', `The tool '${name}' did not answer within ${seconds} seconds.`, {
    retryable: true,
  });
}

/** A model that is not told would take the result for one of its own arguments. */
function withEdit(input: Record<string, unknown>, result: unknown): unknown {
  return { note: 'A person changed the arguments before the call.', arguments: input, result };
}

/** A label is shown while the tool runs; a tool whose label cannot be made still runs. */
function getLabel({ label, name }: Tool, input: Record<string, unknown>): string {
  if (typeof label === 'string') return label;
  try {
    return label(input);
  } catch {
    return `Using ${name}…`;
  }
}
