import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import {
  clientToolFields,
  idSchema,
  inputSchemaField,
  MAX_CLIENT_TOOLS,
} from '../../streams/start-run.schemas.js';
import { AppError } from '../../errors.js';
import type { InputAnswer, RequestedInput } from '../../events/requested-input.js';
import type { RunState } from '../../events/run-state.js';
import { validate } from '../../http/validate.js';
import type { Run } from '../../runs/run.js';
import type { ClientTool } from '../../events/client-tool.js';
import type { Decisions } from '../thread-inputs.js';
import { readContent, type AgUiContent } from './ag-ui-content.js';

const message = z.looseObject({
  id: z.string().max(128),
  role: z.string(),
  content: z.unknown().optional(),
  toolCalls: z.array(z.looseObject({ id: z.string() })).optional(),
  toolCallId: z.string().max(256).optional(),
  error: z.string().max(1000).nullish(),
});

/** The payload that decides on a tool call. */
const decisionSchema = z.looseObject({
  approved: z.boolean(),
  editedArgs: z.record(z.string(), z.unknown()).nullish(),
  reason: z.string().max(1000).nullish(),
});

/** An answer to an interrupt: what its `responseSchema` describes, or nothing when the person wants none of it. */
const resumeSchema = z.discriminatedUnion('status', [
  z.looseObject({
    interruptId: z.string().max(128),
    status: z.literal('resolved'),
    payload: z.unknown(),
  }),
  z.looseObject({ interruptId: z.string().max(128), status: z.literal('cancelled') }),
]);

/** AG-UI's RunAgentInput, as far as we read it. Its `context` is the client's business. */
export const runInputSchema = z
  .looseObject({
    threadId: idSchema.meta({ description: 'The conversation; made when there is none of this id.' }),
    runId: z
      .string()
      .regex(/^[\x21-\x7e]{1,128}$/, 'Use 1 to 128 printable ASCII characters')
      .meta({ description: 'The same id finds the same run: a repeated request never starts a second one.' }),
    parentRunId: z.string().max(128).nullish().meta({
      description: 'The run of the thread to continue from. It is ignored if the thread does not have it.',
    }),
    messages: z.array(message).meta({
      description:
        "The conversation; of it the last message is read, or the last ones where they are results of the client's tools.",
    }),
    tools: z
      .array(z.looseObject({ ...clientToolFields, parameters: inputSchemaField.nullish() }))
      .max(MAX_CLIENT_TOOLS)
      .nullish()
      .meta({ description: 'Tools that the front end runs, for agents that take some.' }),
    state: z.unknown().optional().meta({
      description: 'The keys that differ from the state that the thread shows are input of the graph.',
    }),
    protocolVersion: z.string().nullish(),
    resume: z
      .array(resumeSchema)
      .nullish()
      .meta({ description: 'Answers to all interrupts of the run before: then no message is read.' }),
  })
  .meta({ id: 'RunAgentInput' });
export type RunInput = z.output<typeof runInputSchema>;

/** Finds the person's question in a RunAgentInput. @throws AppError REQUEST_INVALID */
export function findQuestion({ messages }: RunInput): AgUiContent & { readonly id: string } {
  const last = messages.at(-1);
  if (last?.role !== 'user') {
    throw new AppError(
      'REQUEST_INVALID',
      "messages: The last message must be from the user, or the result of one of the client's tools.",
    );
  }
  return { id: last.id, ...readContent(last.content) };
}

/**
 * Reads the keys of the client's state that differ from the one that the thread shows: clients send that back with each message. Undefined where none
 * differs.
 *
 * @throws AppError REQUEST_INVALID
 */
export function readChangedState(
  { state }: RunInput,
  shown: RunState = {},
): Readonly<Record<string, unknown>> | undefined {
  if (state === undefined || state === null) return undefined;
  const keys = validate(z.record(z.string(), z.unknown()), state, 'state');
  // Messages have a place of their own.
  const changed = Object.entries(keys).filter(
    ([key, value]) => key !== 'messages' && !isDeepStrictEqual(value, shown[key]),
  );
  return changed.length > 0 ? Object.fromEntries(changed) : undefined;
}

/** True for a client that has a state of its own. */
export function hasState({ state }: RunInput): boolean {
  return typeof state !== 'object' || (state !== null && Object.keys(state).length > 0);
}

/** Reads the tools that the front end runs. */
export function readClientTools({ tools }: RunInput): readonly ClientTool[] {
  return (tools ?? []).map(({ name, description, parameters }) => ({
    name,
    description,
    ...(parameters && { inputSchema: parameters }),
  }));
}

/** Reads the answers to interrupts in a RunAgentInput. Undefined when it has none. */
export function readDecisions({ resume }: RunInput): Decisions | undefined {
  if (!resume?.length) return undefined;
  return Object.fromEntries(
    resume.map((entry) => [entry.interruptId, (asked: RequestedInput) => toDecision(entry, asked)]),
  );
}

/** Reads the results of the client's tools, by tool call id. Undefined when the input does not end with any. */
export function readResults({ messages }: RunInput): Readonly<Record<string, InputAnswer>> | undefined {
  const results = messages.slice(messages.findLastIndex(({ role }) => role !== 'tool') + 1);
  if (results.length === 0) return undefined;
  return Object.fromEntries(results.map((result) => [result.toolCallId ?? result.id, toResult(result)]));
}

function toResult({ content, error }: z.output<typeof message>): InputAnswer {
  if (error) return { decision: 'deny', reason: error };
  return { decision: 'answer', value: content ?? null };
}

function toDecision(entry: z.output<typeof resumeSchema>, { kind }: RequestedInput): InputAnswer {
  if (entry.status === 'cancelled') return { decision: 'deny' };
  if (kind !== 'approval') return { decision: 'answer', value: entry.payload ?? null };
  const { approved, editedArgs, reason } = validate(decisionSchema, entry.payload, 'resume: payload');
  if (!approved) return { decision: 'deny', ...(reason && { reason }) };
  return editedArgs ? { decision: 'edit', input: editedArgs } : { decision: 'approve' };
}

/** The client's own names, kept so that we call things by them again. */
const noteSchema = z.object({ agUi: z.object({ runId: z.string(), messageId: z.string() }) });

export function toNote({ runId }: RunInput, messageId: string): z.output<typeof noteSchema> {
  return { agUi: { runId, messageId } };
}

/**
 * As the client calls the run and the question; where another protocol has started it, as we do. A run that goes on after approvals
 * has the notes of the one before it: of its own name nothing is noted.
 */
export function readNames({ id, messageId, metadata, resumeOf }: Run): { runId: string; questionId: string } {
  const note = noteSchema.safeParse(metadata).data?.agUi;
  return {
    runId: (resumeOf === undefined ? note?.runId : undefined) ?? id,
    questionId: note?.messageId ?? `${messageId}-user`,
  };
}
