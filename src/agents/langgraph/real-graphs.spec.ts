import { afterEach, describe, expect, it } from '@jest/globals';
import type { BaseChatModel } from '@langchain/core/language_models/chat_models';
import type { BaseMessage } from '@langchain/core/messages';
import { createSupervisor } from '@langchain/langgraph-supervisor';
import { createHandoffTool, createSwarm } from '@langchain/langgraph-swarm';
import { createReactAgent } from '@langchain/langgraph/prebuilt';
import { createDeepAgent } from 'deepagents';
import {
  anthropicPromptCachingMiddleware,
  contextEditingMiddleware,
  createAgent,
  dynamicSystemPromptMiddleware,
  llmToolSelectorMiddleware,
  modelCallLimitMiddleware,
  modelFallbackMiddleware,
  modelRetryMiddleware,
  openAIModerationMiddleware,
  piiMiddleware,
  summarizationMiddleware,
  todoListMiddleware,
  tool,
  toolCallLimitMiddleware,
  toolEmulatorMiddleware,
  toolErrorMiddleware,
  toolRetryMiddleware,
  type AnyAgentMiddleware,
} from 'langchain';
import { z } from 'zod';
import {
  call,
  closeStacks,
  graphAgent,
  scripted,
  seenAndStored,
  stackWith,
} from './langgraph-stack.testing.js';

afterEach(closeStacks);

const look = tool(({ note }) => `Found ${note}.`, {
  name: 'look',
  description: 'Looks.',
  schema: z.object({ note: z.string() }),
});

/** A model that uses its tool once in a turn, with words before and after. */
const searching = (strictness?: 'roles may repeat') =>
  scripted(
    (messages, turn) =>
      sinceQuestion(messages).some(({ name }) => name === 'look')
        ? { chunks: ['Found ', 'it.'] }
        : { chunks: ['Let me ', 'look.'], calls: [call(`c${turn}`, 'look', '{"note":"x"}')] },
    strictness,
  );

/** A model that has the helper answer, and then says that it has. */
const supervising = () =>
  scripted(
    (messages, turn) =>
      sinceQuestion(messages).some(({ name }) => name === 'helper')
        ? { chunks: ['All ', 'done.'] }
        : { chunks: ['Delegating.'], calls: [call(`h${turn}`, 'transfer_to_helper', '{}')] },
    'roles may repeat',
  );

function sinceQuestion(messages: readonly BaseMessage[]) {
  return messages.slice(messages.findLastIndex((message) => message.getType() === 'human'));
}

/** True for what is among `all` in this order, with other things between. */
function isWithin(part: readonly string[], all: readonly string[]): boolean {
  let at = 0;
  for (const each of all) if (each === part[at]) at += 1;
  return at === part.length;
}

type ExitBehavior = 'replace' | 'end';

/** LangChain's moderation of outputs, with a client in place of OpenAI's that flags one text. */
function moderating({
  flagged,
  exitBehavior,
}: {
  readonly flagged: string;
  readonly exitBehavior: ExitBehavior;
}) {
  const create = async ({ input }: { readonly input: string }) => ({
    results: [{ flagged: input === flagged, categories: { violence: true }, category_scores: {} }],
  });
  const model = {
    getName: () => 'ChatOpenAI',
    _getClientOptions: () => undefined,
    client: { moderations: { create } },
  } as unknown as BaseChatModel;
  const violationMessage = 'It was flagged for {categories}.';
  return openAIModerationMiddleware({ model, checkInput: false, exitBehavior, violationMessage });
}

/** Two turns, in each of which people have seen what the graph has stored, and each thing once. */
async function talk(graph: unknown) {
  const stack = await stackWith(graphAgent(graph));
  const first = await stack.answerTo('One');
  const turns = [await seenAndStored(stack, first)];
  turns.push(await seenAndStored(stack, await stack.answerTo('Two', first.threadId)));
  return turns as [(typeof turns)[0], (typeof turns)[0]];
}

describe('agents built with other packages', () => {
  it.each<[string, () => readonly AnyAgentMiddleware[]]>([
    ['todoList', () => [todoListMiddleware()]],
    [
      'summarization',
      () => [
        summarizationMiddleware({
          model: scripted(() => ({ chunks: ['Sum.'] })),
          trigger: { messages: 1000 },
        }),
      ],
    ],
    ['contextEditing', () => [contextEditingMiddleware()]],
    ['modelCallLimit', () => [modelCallLimitMiddleware({ runLimit: 5 })]],
    ['toolCallLimit', () => [toolCallLimitMiddleware({ runLimit: 5 })]],
    ['modelFallback', () => [modelFallbackMiddleware(searching())]],
    ['modelRetry', () => [modelRetryMiddleware()]],
    ['toolRetry', () => [toolRetryMiddleware()]],
    ['toolError', () => [toolErrorMiddleware({ onError: () => 'It failed.' })]],
    ['pii', () => [piiMiddleware('email', { applyToOutput: true })]],
    ['dynamicSystemPrompt', () => [dynamicSystemPromptMiddleware(() => 'Be brief.')]],
    ['toolEmulator', () => [toolEmulatorMiddleware({ model: scripted(() => ({ chunks: ['Made up.'] })) })]],
    [
      'anthropicPromptCaching',
      () => [anthropicPromptCachingMiddleware({ unsupportedModelBehavior: 'ignore' })],
    ],
    ['openAIModeration', () => [moderating({ flagged: 'nothing', exitBehavior: 'end' })]],
  ])("shows exactly what an agent with LangChain's %s middleware stores", async (_, middleware) => {
    const turns = await talk(
      createAgent({ model: searching(), tools: [look], middleware: [...middleware()] }),
    );
    const said = ['Let me look.', 'Found it.'];
    // The second turn sees both in the state: what is asked for is what came after its question.
    for (const { seen, stored } of turns) expect({ seen, stored }).toEqual({ seen: said, stored: said });
  });

  it.each<[ExitBehavior, string[]]>([
    ['replace', ['Let me look.', 'It was flagged for violence.']],
    ['end', ['Let me look.', 'Found it.', 'It was flagged for violence.']],
  ])('shows what a moderation that may %s stores', async (exitBehavior, said) => {
    const middleware = [moderating({ flagged: 'Found it.', exitBehavior })];
    const model = searching('roles may repeat');
    const turns = await talk(createAgent({ model, tools: [look], middleware }));
    for (const { seen, stored } of turns) expect({ seen, stored }).toEqual({ seen: said, stored: said });
  });

  it('hides the text of a model that selects tools for another model', async () => {
    const chooser = scripted(() => ({ chunks: ['{"tools":["look"]}'] }));
    const middleware = [llmToolSelectorMiddleware({ model: chooser, alwaysInclude: ['look'] })];
    const [{ seen }] = await talk(createAgent({ model: searching(), tools: [look], middleware }));
    expect(seen).toEqual(['Let me look.', 'Found it.']);
  });

  it('shows each message of a supervisor and its agents once when the full history is stored', async () => {
    const helper = createReactAgent({ llm: searching('roles may repeat'), tools: [look], name: 'helper' });
    const supervisor = supervising();
    const graph = createSupervisor({ agents: [helper], llm: supervisor, outputMode: 'full_history' });
    for (const { seen, stored } of await talk(graph)) {
      expect(stored).toEqual(expect.arrayContaining(['Let me look.', 'All done.']));
      expect(seen).toEqual(stored);
    }
  });

  it('shows what a supervisor stores, and the messages of its agents that it does not store, once each', async () => {
    const helper = createReactAgent({ llm: searching('roles may repeat'), tools: [look], name: 'helper' });
    const supervisor = supervising();
    for (const { seen, stored } of await talk(createSupervisor({ agents: [helper], llm: supervisor }))) {
      expect(isWithin(stored, seen)).toBe(true);
      expect(new Set(seen).size).toBe(seen.length);
      expect(stored).toContain('All done.');
      expect(seen.filter((text) => !stored.includes(text))).toEqual(['Let me look.']);
    }
  });

  it('shows the messages of both agents of a swarm', async () => {
    const toBob = createHandoffTool({ agentName: 'bob', description: 'To Bob.' });
    const alice = createReactAgent({
      llm: scripted(() => ({ chunks: ['Bob ', 'knows.'], calls: [call('h', toBob.name, '{}')] })),
      tools: [toBob],
      name: 'alice',
    });
    const bob = createReactAgent({ llm: searching(), tools: [look], name: 'bob' });
    const [first, second] = await talk(createSwarm({ agents: [alice, bob], defaultActiveAgent: 'alice' }));
    expect(first.seen).toEqual(['Bob knows.', 'Let me look.', 'Found it.']);
    expect(first.stored).toEqual(first.seen);
    expect(second).toEqual({ seen: ['Let me look.', 'Found it.'], stored: ['Let me look.', 'Found it.'] });
  });

  it('shows exactly the stored messages of a deep agent', async () => {
    const turns = await talk(createDeepAgent({ model: searching(), tools: [look] }));
    const said = ['Let me look.', 'Found it.'];
    for (const { seen, stored } of turns) expect({ seen, stored }).toEqual({ seen: said, stored: said });
  });
});
