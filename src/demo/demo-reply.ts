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

/** What the assistant says before a message for which a person did not wait for the answer. */
const TO_COME = '(The answer is still to come.)';

/** A question, and what followed it. */
interface Turn {
  readonly question: BaseMessage | undefined;
  readonly planned: readonly PlannedCall[];
  readonly gaps: ReturnType<typeof plan>['gaps'];
  readonly made: NonNullable<AIMessage['tool_calls']>;
  readonly results: readonly ToolMessage[];
}

/**
 * Decides what comes next in a thread. The last human message is read together with those before it; when the calls it
 * leads to were not made yet they are the reply, else the answer is written from their results. Questions whose answer is still to come are
 * answered with it. There is one round of calls per message, so a failing tool cannot make it go round in circles.
 */
export function reply(messages: readonly BaseMessage[], tools: readonly BoundTool[]): DemoReply {
  const turns = readOpenTurns(messages, tools);
  const { question, made: lastMade } = turns.at(-1)!;
  const made = turns.flatMap((turn) => turn.made);
  const missing = turns
    .flatMap((turn) => (turn.made.length === 0 ? turn.planned : []))
    .filter(({ name, args }) => !made.some((call) => call.name === name && isSame(call.args, args)));
  if (missing.length > 0 && lastMade.length === 0) {
    const count = messages.filter((message) => HumanMessage.isInstance(message)).length;
    return {
      text: '',
      toolCalls: missing.map(({ name, args }, at) => ({ id: callId(count, at), name, args })),
    };
  }
  const text = writeAnswer({
    message: question ? readQuestion(question) : '',
    files: readDemoFiles(question),
    outcomes: collectOutcomes(turns, tools),
    gaps: turns.flatMap(({ gaps }) => gaps),
    tools,
    isFirst: !messages.some(
      (message) => AIMessage.isInstance(message) && message.text !== '' && !isToCome(message),
    ),
  });
  return { text, toolCalls: [] };
}

/** Returns the last question, after those before it whose answer is still to come. */
function readOpenTurns(messages: readonly BaseMessage[], tools: readonly BoundTool[]): Turn[] {
  const start = messages.findLastIndex((message) => HumanMessage.isInstance(message));
  const before = messages.slice(0, Math.max(start, 0));
  const questions = messages.slice(0, start + 1).filter((message) => HumanMessage.isInstance(message));
  const { calls: planned, gaps } = plan(readThread(questions.map(readQuestion)), tools);
  const after = messages.slice(start + 1);
  const made = after
    .filter((message) => AIMessage.isInstance(message))
    .flatMap((message) => message.tool_calls ?? []);
  const results = after.filter((message) => ToolMessage.isInstance(message));
  const last = before.at(-1);
  const open = last && isToCome(last) ? readOpenTurns(before, tools) : [];
  return [...open, { question: questions.at(-1), planned, gaps, made, results }];
}

function isToCome(message: BaseMessage): boolean {
  return AIMessage.isInstance(message) && message.text === TO_COME;
}

/** Unlike in every turn of the thread, and the same whenever this turn is tried again. */
function callId(turn: number, at: number): string {
  return `demo-${turn}-${at + 1}`;
}

function collectOutcomes(turns: readonly Turn[], tools: readonly BoundTool[]): ToolOutcome[] {
  const planned = turns.flatMap((turn) => turn.planned);
  return turns.flatMap(({ made, results }) =>
    results.map((message) => {
      const call = made.find(({ id }) => id === message.tool_call_id);
      const toolName = call?.name ?? message.name ?? '';
      const tool = tools.find(({ name }) => name === toolName);
      return {
        toolName,
        role: findRole(tool ?? { name: toolName }),
        intent: planned.find(({ name, args }) => name === toolName && isSame(args, call?.args))?.intent,
        failed: message.status === 'error',
        text: message.text,
      };
    }),
  );
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** Words, as an approximation that is the same on every machine. */
export function countTokens(text: string): number {
  return text.match(/\S+/g)?.length ?? 0;
}
