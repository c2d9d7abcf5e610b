import { afterEach, describe, expect, it } from '@jest/globals';
import { createReactAgent } from '@langchain/langgraph/prebuilt';
import { createAgent, providerStrategy, tool, toolStrategy } from 'langchain';
import { z } from 'zod';
import { foldRun } from '../../events/run-view.js';
import { call, closeStacks, graphAgent, scripted, stackWith, toolEnds } from './langgraph-stack.testing.js';

afterEach(closeStacks);

const Contact = z.object({ name: z.string() }).meta({ title: 'Contact' });
const ADA = '{"name":"Ada"}';

const look = tool(() => 'Ada', { name: 'look', description: 'Looks.', schema: z.object({}) });

/** Two turns; the second in the thread of the first. */
async function talk(graph: unknown, options = {}) {
  const stack = await stackWith(graphAgent(graph, options));
  const first = await stack.answerTo('Who?');
  return [first, await stack.answerTo('And now?', first.threadId)] as const;
}

describe('an agent with a responseFormat', () => {
  it('shows its answer as JSON and as state, and not the tool that carries it', async () => {
    const model = scripted((messages, turn) =>
      messages.at(-1)?.getType() === 'tool'
        ? { chunks: [], calls: [call(`c${turn}`, 'Contact', ADA)] }
        : { chunks: [], calls: [call(`l${turn}`, 'look', '{}')] },
    );
    const turns = await talk(createAgent({ model, tools: [look], responseFormat: toolStrategy(Contact) }));
    for (const { log, text } of turns) {
      expect(text).toBe(ADA);
      expect(foldRun('run', log).state).toEqual({ structuredResponse: { name: 'Ada' } });
      const tools = log.flatMap(({ event }) => (event.type === 'tool-start' ? [event.toolName] : []));
      expect(tools).toEqual(['look']);
      expect(toolEnds(log)).toEqual([expect.stringMatching(/^l\d+ ok$/)]);
    }
  });

  it('shows no tool for an answer that does not fit the form and is asked for again', async () => {
    const model = scripted((messages, turn) => ({
      chunks: [],
      calls: [call(`c${turn}`, 'Contact', messages.at(-1)?.getType() === 'human' ? '{"name":1}' : ADA)],
    }));
    const turns = await talk(createAgent({ model, tools: [], responseFormat: toolStrategy(Contact) }));
    for (const { log, text } of turns) {
      expect(text).toBe(ADA);
      expect(toolEnds(log)).toEqual([]);
      expect(foldRun('run', log).state).toEqual({ structuredResponse: { name: 'Ada' } });
    }
  });

  it('shows the JSON of a model that answers in the form by itself once', async () => {
    const model = scripted(() => ({ chunks: ['{"name":', '"Ada"}'] }));
    const turns = await talk(createAgent({ model, tools: [], responseFormat: providerStrategy(Contact) }));
    for (const { log, text } of turns) {
      expect(text).toBe(ADA);
      expect(foldRun('run', log).state).toEqual({ structuredResponse: { name: 'Ada' } });
    }
  });

  it('shows no state if its agent shows messages only', async () => {
    const model = scripted((_, turn) => ({ chunks: [], calls: [call(`c${turn}`, 'Contact', ADA)] }));
    const graph = createAgent({ model, tools: [], responseFormat: toolStrategy(Contact) });
    const [{ log, text }] = await talk(graph, { exposeState: false });
    expect(text).toBe(ADA);
    expect(foldRun('run', log)).not.toHaveProperty('state');
  });

  it('writes no state event if it was asked for no form', async () => {
    const model = scripted(() => ({ chunks: ['Ada.'] }));
    for (const graph of [createAgent({ model, tools: [] }), createReactAgent({ llm: model, tools: [] })]) {
      const [{ log }] = await talk(graph);
      expect(log.map(({ event }) => event.type)).not.toContain('state');
    }
  });
});
