import { AIMessage, HumanMessage, ToolMessage, type BaseMessage } from '@langchain/core/messages';
import { writeAnswer } from './demo-answers.js';
import { readDemoFiles, readQuestion } from './demo-files.js';
import { readThread } from './demo-intents.js';
import { plan, type PlannedCall } from './demo.planner.js';
import type { ToolOutcome } from './demo-results.js';
import { findRole, type BoundTool } from './demo-tools.js';

/** The demo model's next message: tool calls, or text. */
export interface DemoReply {
  readonly text: string;
  readonly toolCalls: readonly {
    readonly id: string;
    readonly name: string;
    readonly args: PlannedCall['args'];
  }[];
}

/**
 * Decides what comes next in a thread. The last human message is read together with those before it; when the calls it
 * leads to were not made yet they are the reply, else the answer is written from their results. There is one round of calls
 * per message, so a failing tool cannot make it go round in circles.
 */
export function reply(messages: readonly BaseMessage[], tools: readonly BoundTool[]): DemoReply {
  const lastHuman = messages.findLastIndex((message) => HumanMessage.isInstance(message));
  const turn = messages.slice(lastHuman + 1);
  const questions = messages.slice(0, lastHuman + 1).filter((message) => HumanMessage.isInstance(message));
  const { calls, gaps } = plan(readThread(questions.map(readQuestion)), tools);
  const made = turn
    .filter((message) => AIMessage.isInstance(message))
    .flatMap((message) => message.tool_calls ?? []);
  if (calls.length > 0 && made.length === 0) {
    return {
      text: '',
      toolCalls: calls.map(({ name, args }, at) => ({ id: callId(questions.length, at), name, args })),
    };
  }
  const text = writeAnswer({
    message: questions.at(-1) ? readQuestion(questions.at(-1)!) : '',
    files: readDemoFiles(questions.at(-1)),
    outcomes: collectOutcomes(turn, made, calls, tools),
    gaps,
    tools,
    isFirst: !messages.slice(0, Math.max(lastHuman, 0)).some((message) => AIMessage.isInstance(message)),
  });
  return { text, toolCalls: [] };
}

/** Unlike in every turn of the thread, and the same whenever this turn is tried again. */
function callId(turn: number, at: number): string {
  return `demo-${turn}-${at + 1}`;
}

function collectOutcomes(
  turn: readonly BaseMessage[],
  made: NonNullable<AIMessage['tool_calls']>,
  planned: readonly PlannedCall[],
  tools: readonly BoundTool[],
): ToolOutcome[] {
  return turn
    .filter((message) => ToolMessage.isInstance(message))
    .map((message) => {
      const at = made.findIndex(({ id }) => id === message.tool_call_id);
      const toolName = made[at]?.name ?? message.name ?? '';
      const tool = tools.find(({ name }) => name === toolName);
      return {
        toolName,
        role: findRole(tool ?? { name: toolName }),
        intent: planned.find(({ name, args }) => name === toolName && isSame(args, made[at]?.args))?.intent,
        failed: message.status === 'error',
        text: message.text,
      };
    });
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** Words, as an approximation that is the same on every machine. */
export function countTokens(text: string): number {
  return text.match(/\S+/g)?.length ?? 0;
}
