import { once } from 'node:events';
import type { AgentContext } from '../../src/agents/agent.js';
import { AppError } from '../../src/errors.js';
import type { RunEvent } from '../../src/events/run-event.js';
import { createAnswer } from '../../src/testing/scripted.agent.js';
import { gate, type Play } from './chat.server.js';

/** Says the events one by one, each committed by itself so that none is joined. Resolves when all are in the log. */
export async function sayOneByOne(context: AgentContext, events: readonly RunEvent[]): Promise<void> {
  for (const event of events) {
    void context.emit(event);
    context.commitNow();
    await new Promise((resolve) => setImmediate(resolve));
  }
  await context.recorded();
}

/** Nine words. */
export const nineWords: Play = (_, context) =>
  sayOneByOne(context, createAnswer(context, 'the quick brown fox jumps over the lazy dog'.split(' ')));

/** Speaks, waits for the test, and speaks on; stops where it is when it is cancelled. */
export function twoPart(before = 'Half ', after = 'and half.') {
  const [middle, onward] = [gate(), gate()];
  const play: Play = async (_, context) => {
    const events = createAnswer(context, [before, after]);
    await sayOneByOne(context, events.slice(0, 3));
    middle.open();
    await Promise.race([onward.opened, once(context.signal, 'abort')]);
    if (!context.signal.aborted) await sayOneByOne(context, events.slice(3));
  };
  return { play, middle, onward };
}

/** Fails with words that are meant for people, and a cause that is not. */
export const overloaded: Play = () => {
  throw new AppError('MODEL_OVERLOADED', 'The model is busy.', { cause: new Error('key sk-123') });
};

/** A run that has some of everything a run can have. */
export const everything: Play = async (_, context) => {
  const { messageId, attempt } = context;
  const step = { stepId: 'step-tools', name: 'tools', attempt } as const;
  await sayOneByOne(context, [
    ...createAnswer(context, ['Let me\n', 'look that\r\nup… ', '\u2028🙂'], 'first'),
    { type: 'step-start', ...step },
    { type: 'reasoning-start', partId: 'why', messageId, stepId: step.stepId },
    { type: 'reasoning-delta', partId: 'why', delta: 'Because.' },
    { type: 'reasoning-end', partId: 'why' },
    {
      type: 'tool-start',
      toolCallId: 'call-1',
      toolName: 'search',
      stepId: step.stepId,
      messageId,
      label: 'Searching…',
      input: { query: 'a: b\n\ndata: c' },
    },
    { type: 'tool-progress', toolCallId: 'call-1', message: 'Half way', fraction: 0.5 },
    { type: 'tool-end', toolCallId: 'call-1', outcome: 'ok', output: [1, null, 'two'], durationMs: 12 },
    { type: 'custom', name: 'team-fact', data: { nested: ['\0'] } },
    { type: 'usage', inputTokens: 3, outputTokens: 5, totalTokens: 8, model: 'scripted' },
    { type: 'step-end', ...step },
    ...createAnswer(context, ['Here ', 'it ', 'is.'], 'last'),
  ]);
};
