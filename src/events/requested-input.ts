import type { InputRequest } from './run-event.js';

/** A person's decision on a tool call that waits for it. */
export interface ApprovalDecision {
  readonly decision: 'approve' | 'edit' | 'deny';
  /** With `edit`: the arguments that the tool is called with, in place of the model's. */
  readonly input?: unknown;
  /** With `deny`: why not. The model reads it. */
  readonly reason?: string;
}

/** The requested value: the answer to an interrupt, the result of a client tool, the content of an elicitation. Any JSON value. */
export interface ValueAnswer {
  readonly decision: 'answer';
  readonly value: unknown;
}

/** A message that an answer adds to the conversation. */
export interface AddedMessage {
  readonly id: string;
  readonly role: 'assistant' | 'user';
  readonly text: string;
  /** The message as its client wrote it, in LangChain's form. */
  readonly original: Readonly<Record<string, unknown>>;
}

/** An answer from outside to an input that a run waits for. */
export type InputAnswer = ApprovalDecision | ValueAnswer;

/** An answer with messages that the run begins with that continues. */
export type GivenAnswer = InputAnswer & { readonly added?: readonly AddedMessage[] };

/** An answer, and whose it is: a user id, or `expiry`. `at` is milliseconds since the epoch. */
export type RecordedDecision = GivenAnswer & { readonly by: string; readonly at: number };

/** Something that a run stopped for, with the answer once there is one. */
export type RequestedInput = InputRequest extends infer Request
  ? Request extends InputRequest
    ? Omit<Request, 'type'> & { readonly answer?: RecordedDecision }
    : never
  : never;

/** Something that a run stopped for, and what was answered. */
export type AnsweredInput = RequestedInput & { readonly answer: RecordedDecision };

/** A tool call that a run stopped for: somebody has to decide on it, or the front end has to make it. */
export type RequestedCall = Extract<RequestedInput, { readonly kind: 'approval' | 'client-tool' }>;

export type RequestedApproval = Extract<RequestedInput, { readonly kind: 'approval' }>;

/** A question of a graph or of an MCP server: it is not about a call. */
export type RequestedQuestion = Exclude<RequestedInput, RequestedCall>;

export function isCall<Request extends { readonly kind: RequestedInput['kind'] }>(
  request: Request,
): request is Extract<Request, { readonly kind: 'approval' | 'client-tool' }> {
  return request.kind === 'approval' || request.kind === 'client-tool';
}

/** The `by` of a denial after a request has expired. */
export const NOBODY_IN_TIME = 'expiry';

export type DecisionsOutcome =
  | { readonly outcome: 'answered'; readonly inputs: readonly RequestedInput[] }
  /** The run asks for no such input. */
  | { readonly outcome: 'unknown'; readonly inputId: string }
  /** It was answered before, otherwise. */
  | { readonly outcome: 'conflict'; readonly inputId: string };

/** The inputs with these answers, all of them or none. The first answer stands; giving it again changes nothing. */
export function recordDecisions(
  inputs: readonly RequestedInput[],
  decisions: Readonly<Record<string, RecordedDecision>>,
): DecisionsOutcome {
  for (const [inputId, answer] of Object.entries(decisions)) {
    const asked = inputs.find((each) => each.inputId === inputId);
    if (!asked) return { outcome: 'unknown', inputId };
    if (asked.answer && !isSame(asked.answer, answer)) return { outcome: 'conflict', inputId };
  }
  return {
    outcome: 'answered',
    inputs: inputs.map((asked) => {
      const answer = asked.answer ?? decisions[asked.inputId];
      return answer ? { ...asked, answer } : asked;
    }),
  };
}

/** True once everything has its answer: the run can be continued. */
export function isDecided(inputs: readonly RequestedInput[]): boolean {
  return inputs.every(({ answer }) => answer !== undefined);
}

/** Returns the earliest expiry of the inputs that still wait, in milliseconds since the epoch; undefined if there is none. */
export function findExpiry(inputs: readonly RequestedInput[]): number | undefined {
  const times = inputs.flatMap(({ answer, expiresAt }) => (answer ? [] : (expiresAt ?? [])));
  return times.length > 0 ? Math.min(...times) : undefined;
}

/** Describes a call for the person who decides on it, with the reason for asking. */
export function describeCall({
  label,
  reason,
}: {
  readonly label: string;
  readonly reason?: string;
}): string {
  return reason === undefined ? label : `${label} ${reason}`;
}

/** Describes a request for the person who answers it. */
export function describeRequest(request: RequestedInput): string {
  switch (request.kind) {
    case 'approval':
    case 'client-tool':
      return describeCall(request);
    case 'elicitation':
      return request.message;
    case 'interrupt':
      return describeValue(request.value);
    default:
      // A newer instance may have recorded what this one does not know.
      request satisfies never;
      return '';
  }
}

/** The words of a value that a graph asks with: its own question where it has one. */
function describeValue(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? '';
  for (const name of ['message', 'question', 'prompt', 'description', 'title']) {
    const words: unknown = Reflect.get(value, name);
    if (typeof words === 'string' && words !== '') return words;
  }
  const { actionRequests } = value as { readonly actionRequests?: unknown };
  if (Array.isArray(actionRequests)) {
    const described = actionRequests.flatMap((action: { description?: unknown } | null) =>
      typeof action?.description === 'string' ? [action.description] : [],
    );
    if (described.length > 0) return described.join('\n\n');
  }
  return JSON.stringify(value);
}

function isSame(one: InputAnswer, other: InputAnswer): boolean {
  return JSON.stringify(toContent(one)) === JSON.stringify(toContent(other));
}

function toContent(answer: InputAnswer): unknown {
  return answer.decision === 'answer' ? [answer.decision, answer.value] : [answer.decision, answer.input];
}
