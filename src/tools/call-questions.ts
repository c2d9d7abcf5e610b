import type { ElicitationRequest } from '../events/run-event.js';
import { NOBODY_IN_TIME, type AnsweredInput } from '../events/requested-input.js';
import type { ToolRun } from './agent-tool.js';
import { toInputId } from './approval.policy.js';
import { toUniqueId, type ToolCall } from './tool-call.js';

/** A question in the middle of a call. */
export interface ToolQuestion {
  readonly message: string;
  /** JSON Schema of the answer. */
  readonly schema: Readonly<Record<string, unknown>>;
}

/** `decline`: the person said no. `cancel`: nobody said anything, or nobody can be asked. */
export type QuestionAnswer =
  | { readonly action: 'accept'; readonly content: Readonly<Record<string, unknown>> }
  | { readonly action: 'decline' | 'cancel' };

/** A call asks no more than this. */
const MOST_QUESTIONS = 50;

/**
 * The questions of one call, in their order. Those that were answered before, when the call was made for the first time, get their
 * answers at once. The first one without an answer ends the call.
 */
export class CallQuestions {
  private count = 0;
  private open: Omit<ElicitationRequest, 'expiresAt'> | undefined;

  constructor(
    private readonly call: ToolCall,
    private readonly run: ToolRun,
    /** Ends the call, for the reason given. */
    private readonly end: (reason: Error) => void,
  ) {}

  /** The question that has ended the call. */
  get unanswered(): Omit<ElicitationRequest, 'expiresAt'> | undefined {
    return this.open;
  }

  readonly ask = async (question: ToolQuestion): Promise<QuestionAnswer> => {
    const { call, run } = this;
    // A tool around this call is at work, and cannot be stopped to wait.
    if (call.nested || this.count >= MOST_QUESTIONS) return { action: 'cancel' };
    this.count += 1;
    const { message, schema } = question;
    const { stepId, toolName } = call;
    // An answer belongs to the words that the person has read: another question in the same place is asked.
    const place = `${call.toolCallId} ${this.count} ${JSON.stringify([message, schema])}`;
    const inputId = toInputId({ stepId, toolCallId: place });
    const answered = run.decisions.get(inputId);
    if (answered) return toAnswer(answered);
    const toolCallId = toUniqueId(call, run);
    this.open ??= {
      type: 'input-request',
      kind: 'elicitation',
      inputId,
      stepId,
      toolCallId,
      toolName,
      message,
      schema,
    };
    const reason = new Error('A person is asked. The call is made again with the answer.');
    this.end(reason);
    throw reason;
  };
}

function toAnswer({ answer }: AnsweredInput): QuestionAnswer {
  if (answer.decision === 'answer')
    return { action: 'accept', content: answer.value as Readonly<Record<string, unknown>> };
  return { action: answer.by === NOBODY_IN_TIME ? 'cancel' : 'decline' };
}
