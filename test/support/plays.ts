import type { AgentContext } from '../../src/agents/agent.js';
import type { RunEvent } from '../../src/events/run-event.js';
import { answer } from '../../src/testing/scripted.agent.js';
import type { Play } from './chat.server.js';

/** Says the events one by one, each committed before the next: so that each is an event of the log, and none is joined. */
export async function sayOneByOne(context: AgentContext, events: readonly RunEvent[]): Promise<void> {
  for (const event of events) {
    void context.emit(event);
    context.commitNow();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Nine words. */
export const nineWords: Play = (_, context) =>
  sayOneByOne(context, answer(context, 'the quick brown fox jumps over the lazy dog'.split(' ')));

/** A run that has some of everything a run can have. */
export const everything: Play = async (_, context) => {
  const { messageId, attempt } = context;
  const step = { stepId: 'step-tools', name: 'tools', attempt } as const;
  await sayOneByOne(context, [
    ...answer(context, ['Let me\n', 'look that\r\nup… ', '\u2028🙂'], 'first'),
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
    ...answer(context, ['Here ', 'it ', 'is.'], 'last'),
  ]);
};
