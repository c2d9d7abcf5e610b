/** The run stops, and waits for something from outside. A run that goes on with the answers starts with an `input-answer` for each. */
export type InputRequest = ApprovalRequest | InterruptRequest | ClientToolRequest | ElicitationRequest;

/** The fields of every request, of any kind. `expiresAt` is milliseconds since the epoch. */
interface RequestedFromOutside {
  readonly type: 'input-request';
  readonly inputId: string;
  readonly stepId: string;
  readonly expiresAt?: number;
}

/** A person has to decide before this tool call is made. */
export interface ApprovalRequest extends RequestedFromOutside {
  readonly kind: 'approval';
  readonly toolCallId: string;
  readonly toolName: string;
  readonly label: string;
  readonly input: unknown;
  /** JSON Schema of the arguments, for a form in which they are changed. Absent if it is large, or if `input` has only a part of them. */
  readonly schema?: Readonly<Record<string, unknown>>;
  /** The reason to decide on this call, if the tool does not always ask. For people. */
  readonly reason?: string;
}

/** A graph has called `interrupt(value)`, or stopped where it was compiled to stop. Answered by any JSON value. */
export interface InterruptRequest extends RequestedFromOutside {
  readonly kind: 'interrupt';
  readonly value: unknown;
  /** JSON Schema that the answer has to fit, where the graph gave one. */
  readonly schema?: Readonly<Record<string, unknown>>;
}

/** A tool that the front end runs. Answered by its result. */
export interface ClientToolRequest extends RequestedFromOutside {
  readonly kind: 'client-tool';
  readonly toolCallId: string;
  readonly toolName: string;
  readonly label: string;
  readonly input: unknown;
}

/** A tool asks in the middle of its call, as MCP servers do. Answered by an object that fits the schema. The call is then made again. */
export interface ElicitationRequest extends RequestedFromOutside {
  readonly kind: 'elicitation';
  readonly toolCallId: string;
  readonly toolName: string;
  readonly message: string;
  readonly schema: Readonly<Record<string, unknown>>;
}

/** Kind of an input that a run waits for. */
export type InputKind = InputRequest['kind'];
