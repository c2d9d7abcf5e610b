import { expect } from '@jest/globals';
import { AIMessage, type BaseMessage } from '@langchain/core/messages';
import { END, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
import type { InputAnswer } from '../../events/requested-input.js';
import type { RecordedEvent } from '../../events/recorded-event.js';
import type { InterruptRequest } from '../../events/run-event.js';
import { foldRun, getText } from '../../events/run-view.js';
import { ADA } from '../../runs/run.testing.js';
import { getEnd, expectValid, type Stack } from './langgraph-stack.testing.js';

export const say = (text: string) => ({ messages: [new AIMessage(text)] });
export const value = (given: unknown): InputAnswer => ({ decision: 'answer', value: given });

export const requestsIn = (log: readonly RecordedEvent[]) =>
  log.flatMap(({ event }): InterruptRequest[] =>
    event.type === 'input-request' && event.kind === 'interrupt' ? [event] : [],
  );

export interface Stopped {
  readonly id: string;
  readonly threadId: string;
  readonly log: readonly RecordedEvent[];
  readonly requests: readonly InterruptRequest[];
}

export async function read(
  stack: Stack,
  id: string,
  threadId: string,
): Promise<Stopped & { readonly text: string }> {
  const log = await stack.readLog(id);
  expectValid(log);
  return { id, threadId, log, requests: requestsIn(log), text: getText(foldRun(id, log)) };
}

export async function ask(stack: Stack, message = 'Go!', known?: string): Promise<Stopped> {
  const { id, threadId } = await stack.ask(message, known);
  const stopped = await read(stack, id, threadId);
  expect(getEnd(stopped)).toMatchObject({ outcome: 'awaiting-input' });
  return stopped;
}

/** Gives the answers, in the order of the requests, and waits for the end of the run that goes on with them. */
export async function answer(
  stack: Stack,
  { id, threadId, requests }: Stopped,
  ...values: readonly unknown[]
) {
  const byId = Object.fromEntries(requests.map(({ inputId }, index) => [inputId, value(values[index])]));
  const { continuedBy } = await stack.inputs.answer(ADA, id, byId);
  return read(stack, continuedBy!.id, threadId);
}

/** A graph of one node. */
export const one = (node: (state: typeof MessagesAnnotation.State) => unknown) =>
  new StateGraph(MessagesAnnotation)
    .addNode('review', node as () => typeof MessagesAnnotation.Update)
    .addEdge(START, 'review')
    .addEdge('review', END);

export const lastText = ({ messages }: { readonly messages: readonly BaseMessage[] }) =>
  messages.at(-1)?.text ?? '';
