import { describe, expect, it } from '@jest/globals';
import { createAnswer, ScriptedAgent } from '../testing/scripted.agent.js';
import { ADA, processWith } from './run.testing.js';

/** Reads a page when it is asked to, and notes by whom the conversation is then said to be. */
function readingProcess() {
  const judged: (readonly string[])[] = [];
  const agent = new ScriptedAgent(async ({ message }, context) => {
    const [start, ...rest] = createAnswer(context, ['done']);
    const call = { toolCallId: context.runId, toolName: 'web_fetch' };
    await context.emit(start!);
    if (message === 'read') {
      await context.emit({
        type: 'tool-start',
        ...call,
        stepId: 'step-1',
        messageId: context.messageId,
        label: 'Reading',
      });
      await context.emit({ type: 'tool-end', ...call, outcome: 'ok', durationMs: 1, foreign: true });
    }
    for (const event of rest) await context.emit(event);
    judged.push((await context.sources?.readStrangers()) ?? []);
  });
  return { judged, server: processWith([agent]) };
}

describe('the authors of what a run may know', () => {
  it('are those of all branches: a subgraph may remember what another branch has read', async () => {
    const { judged, server } = readingProcess();
    await server.executor.start();
    const ask = async (message: string, place: object = {}) => {
      const { id, threadId } = await server.runs.start({ principal: ADA, message, ...place });
      await server.readLog(id);
      return { id, threadId };
    };
    const { threadId } = await ask('hello');
    const read = await ask('read', { threadId });
    await ask('instead', { replaces: read.id });
    await ask('from the start', { threadId, parentRunId: null });
    await ask('elsewhere');
    await server.executor.drain(0);
    expect(judged).toEqual([[], ['web_fetch'], ['web_fetch'], ['web_fetch'], []]);
  });
});
