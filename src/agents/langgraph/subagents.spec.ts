import { afterEach, describe, expect, it } from '@jest/globals';
import type { BaseMessage } from '@langchain/core/messages';
import { createSupervisor } from '@langchain/langgraph-supervisor';
import { createHandoffTool, createSwarm } from '@langchain/langgraph-swarm';
import { createReactAgent } from '@langchain/langgraph/prebuilt';
import { createDeepAgent } from 'deepagents';
import { createAgent, tool } from 'langchain';
import { z } from 'zod';
import type { RecordedEvent } from '../../events/recorded-event.js';
import type { Subagent } from '../../events/subagent.js';
import { foldRun, getText } from '../../events/run-view.js';
import type { LangGraphAgentOptions } from './langgraph-agent.options.js';
import { call, closeStacks, graphAgent, scripted, stackWith } from './langgraph-stack.testing.js';

afterEach(closeStacks);

function sinceQuestion(messages: readonly BaseMessage[]) {
  return messages.slice(messages.findLastIndex((message) => message.getType() === 'human'));
}

const hasResult = (messages: readonly BaseMessage[], name: string) =>
  sinceQuestion(messages).some((message) => message.name === name);

/** Two turns of a graph. */
async function talk(graph: unknown, options: Partial<LangGraphAgentOptions> = {}) {
  const stack = await stackWith(graphAgent(graph, options));
  const first = await stack.answerTo('One');
  const second = await stack.answerTo('Two', first.threadId);
  return [first.log, second.log] as const;
}

/** The texts, each with the name of its speaker. */
const listSpeakers = (log: readonly RecordedEvent[]) =>
  foldRun('run', log).parts.flatMap((part) =>
    part.kind === 'text' ? [`${part.subagent?.name ?? 'the agent'}: ${part.text}`] : [],
  );

const listSubagents = (log: readonly RecordedEvent[]) =>
  log.flatMap(({ event }) => (event.type === 'step-start' && event.subagent ? [event.subagent] : []));

const toPath = ({ path }: Subagent) => path.map((segment) => segment.replace(/:.*/, ''));

const look = tool(({ note }) => `Found ${note}.`, {
  name: 'look',
  description: 'Looks.',
  schema: z.object({ note: z.string() }),
});

const searching = (strictness?: 'roles may repeat') =>
  scripted(
    (messages, turn) =>
      hasResult(messages, 'look')
        ? { chunks: ['Found it.'] }
        : { chunks: ['Let me look.'], calls: [call(`c${turn}`, 'look')] },
    strictness,
  );

/** Sends two searchers out at once. */
const sending = () =>
  scripted((messages, turn) =>
    hasResult(messages, 'task')
      ? { chunks: ['All done.'] }
      : {
          chunks: ['Sending two.'],
          calls: ['a', 'b'].map((name) =>
            call(`${name}${turn}`, 'task', '{"description":"Look","subagent_type":"searcher"}'),
          ),
        },
  );

const deep = () =>
  createDeepAgent({
    name: 'chief',
    model: sending(),
    subagents: [
      { name: 'searcher', description: 'S.', systemPrompt: 'Search.', model: searching(), tools: [look] },
    ],
  });

describe('the agents inside an agent', () => {
  it('names the agents of a supervisor and the steps and tools of each', async () => {
    const graph = createSupervisor({
      agents: [createReactAgent({ llm: searching('roles may repeat'), tools: [look], name: 'helper' })],
      outputMode: 'full_history',
      llm: scripted(
        (messages, turn) =>
          hasResult(messages, 'helper')
            ? { chunks: ['All done.'] }
            : { chunks: ['Delegating.'], calls: [call(`h${turn}`, 'transfer_to_helper', '{}')] },
        'roles may repeat',
      ),
    });
    for (const log of await talk(graph)) {
      expect(listSpeakers(log)).toEqual([
        'supervisor: Delegating.',
        'helper: Let me look.',
        'helper: Found it.',
        // The package's own words, which no model has said.
        'the agent: Transferring back to supervisor',
        'supervisor: All done.',
      ]);
      const looked = log.find(({ event }) => event.type === 'tool-start' && event.toolName === 'look');
      expect(looked?.event).toMatchObject({ subagent: { name: 'helper' } });
      // Each time that it is at work is one of its own.
      expect(new Set(listSubagents(log).map(({ path }) => path.join('|'))).size).toBe(3);
    }
  });

  it('names both agents of a swarm', async () => {
    const toBob = createHandoffTool({ agentName: 'bob', description: 'To Bob.' });
    const alice = createReactAgent({
      llm: scripted(() => ({ chunks: ['Bob knows.'], calls: [call('h', toBob.name, '{}')] })),
      tools: [toBob],
      name: 'alice',
    });
    const bob = createReactAgent({ llm: scripted(() => ({ chunks: ['I know.'] })), tools: [], name: 'bob' });
    const [first, second] = await talk(createSwarm({ agents: [alice, bob], defaultActiveAgent: 'alice' }));
    expect(listSpeakers(first)).toEqual(['alice: Bob knows.', 'bob: I know.']);
    expect(listSpeakers(second)).toEqual(['bob: I know.']);
  });

  it('keeps the words of a deep agent’s helpers apart, each with the call that it works for', async () => {
    for (const log of await talk(deep(), { exposeTools: ['task'] })) {
      const view = foldRun('run', log);
      expect(getText(view)).toBe('Sending two.All done.');
      const within = view.parts.flatMap((part) =>
        part.kind === 'text' && part.subagent
          ? [`${part.subagent.name} for ${part.subagent.toolCallId?.slice(0, 1)}: ${part.text}`]
          : [],
      );
      expect(within.toSorted()).toEqual([
        'searcher for a: Found it.',
        'searcher for a: Let me look.',
        'searcher for b: Found it.',
        'searcher for b: Let me look.',
      ]);
      expect(listSubagents(log).map(toPath)).toContainEqual(['tools']);
    }
  });

  it('names the steps of agents that a tool calls, and hides their words if the tool is not shown', async () => {
    const [log] = await talk(deep());
    expect(listSpeakers(log)).toEqual(['the agent: Sending two.', 'the agent: All done.']);
    expect(listSubagents(log)).toContainEqual(
      expect.objectContaining({ name: 'searcher', toolCallId: expect.stringMatching(/^a/) as unknown }),
    );
  });

  it('names an agent that a tool calls after the tool if it has no name', async () => {
    const inner = createAgent({ model: scripted(() => ({ chunks: ['Inner words.'] })), tools: [] });
    const ask = tool(
      async ({ note }: { note: string }) => {
        const { messages } = await inner.invoke({ messages: [{ role: 'user', content: note }] });
        return messages.at(-1)?.text ?? '';
      },
      { name: 'ask_expert', description: 'Asks.', schema: z.object({ note: z.string() }) },
    );
    const outer = createAgent({
      name: 'outer',
      tools: [ask],
      model: scripted((messages, turn) =>
        hasResult(messages, 'ask_expert')
          ? { chunks: ['Done.'] }
          : { chunks: [], calls: [call(`c${turn}`, 'ask_expert')] },
      ),
    });
    const [log] = await talk(outer, { exposeTools: true });
    expect(listSpeakers(log)).toEqual(['ask_expert: Inner words.', 'the agent: Done.']);
  });

  it('adds nothing to the events of an agent without others in it', async () => {
    for (const log of await talk(createAgent({ name: 'alone', model: searching(), tools: [look] }))) {
      expect(JSON.stringify(log)).not.toContain('subagent');
    }
  });
});
