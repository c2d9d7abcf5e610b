import {
  AIMessage,
  HumanMessage,
  RemoveMessage,
  SystemMessage,
  type BaseMessage,
} from '@langchain/core/messages';
import type { RunnableConfig } from '@langchain/core/runnables';
import { tool } from '@langchain/core/tools';
import {
  Annotation,
  END,
  entrypoint,
  getPreviousState,
  interrupt,
  MessagesAnnotation,
  REMOVE_ALL_MESSAGES,
  START,
  StateGraph,
  task,
} from '@langchain/langgraph';
import { createReactAgent } from '@langchain/langgraph/prebuilt';
import { createSupervisor } from '@langchain/langgraph-supervisor';
import { createHandoffTool, createSwarm } from '@langchain/langgraph-swarm';
import { z } from 'zod';
import { LangGraphAgent } from '../../../src/agents/langgraph/langgraph.agent.js';
import type { LangGraphAgentOptions } from '../../../src/agents/langgraph/langgraph-agent.options.js';
import { SeededModel, type SeededModelOptions } from '../seeded.model.js';
import type { SideEffectLedger } from '../side-effect-ledger.js';

/** The graphs of a team that take part in the loops, one of each kind that continues in a way of its own. */
export const GRAPHS = [
  'supervisor',
  'swarm',
  'functional',
  'trimming',
  'redacting',
  'asking',
  'remembering',
] as const;
export type GraphName = (typeof GRAPHS)[number];

/** A node, or a task, that changes the world outside. Once its step is over it must not be done again. */
export const EFFECT_STEP = 'pay-in-graph';

/** The words of that node. */
export const PAID = 'Paid. ';

export interface GraphsOptions {
  /** As the usual agent has it. */
  readonly model: Omit<SeededModelOptions, 'tools' | 'choose'>;
  readonly ledger: SideEffectLedger;
}

/** Creates the agents, from options that all agents of the process have. */
export function createGraphAgents(
  options: GraphsOptions,
  agent: Pick<LangGraphAgentOptions, 'tracking' | 'checkpointer' | 'store'>,
): LangGraphAgent[] {
  const graphs = {
    supervisor: createTeam(options),
    swarm: createPair(options),
    functional: createFunctional(options),
    trimming: createTrimming(options),
    redacting: createRedacting(options),
    asking: createAsking(options),
    remembering: createRemembering(options),
  } satisfies Record<GraphName, unknown>;
  return GRAPHS.map(
    (name) =>
      new LangGraphAgent({
        ...agent,
        name,
        description: `A graph that is ${name}.`,
        ...(name === 'remembering' && { exposeState: ['notes'] }),
        graph: graphs[name] as LangGraphAgentOptions['graph'],
      }),
  );
}

const IMAGE = {
  type: 'image',
  mimeType: 'image/png',
  data: 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
};

const look = tool(({ note }) => `Saw ${note}.`, {
  name: 'look',
  description: 'Looks.',
  schema: z.object({ note: z.string() }),
});

/** Uses its tool once for a question. */
const looking = ({ model }: GraphsOptions) =>
  new SeededModel({ ...model, choose: (messages) => (hasSpoken(messages, 'look') ? [] : ['look']) });

const talking = ({ model }: GraphsOptions) => new SeededModel({ ...model, choose: () => [] });

function createTeam(options: GraphsOptions) {
  const helper = createReactAgent({ llm: looking(options), tools: [look], name: 'helper' });
  const llm = new SeededModel({
    ...options.model,
    choose: (messages) => (hasSpoken(messages, 'helper') ? [] : ['transfer_to_helper']),
  });
  return createSupervisor({ agents: [helper], llm, outputMode: 'full_history' });
}

function createPair(options: GraphsOptions) {
  const agents = [
    ['alice', 'bob'],
    ['bob', 'alice'],
  ].map(([name = '', other = '']) => {
    const handOff = createHandoffTool({ agentName: other, description: `To ${other}.` });
    const llm = new SeededModel({
      ...options.model,
      choose: (messages) => {
        if (!hasSpoken(messages, 'look')) return ['look'];
        return sinceQuestion(messages).some((message) => message.name?.startsWith('transfer_to'))
          ? []
          : [handOff.name];
      },
    });
    return createReactAgent({ llm, tools: [look, handOff], name });
  });
  return createSwarm({ agents, defaultActiveAgent: 'alice' });
}

type Conversation = typeof MessagesAnnotation.State;

function createFunctional(options: GraphsOptions) {
  const pay = task(EFFECT_STEP, async (questionId: string, runId: string) => {
    await act(options, questionId, runId);
    return 'Paid.';
  });
  const answer = task('answer', (messages: BaseMessage[]) => talking(options).invoke(messages));
  return entrypoint('functional', async ({ messages }: Conversation, config: RunnableConfig) => {
    const before = getPreviousState<Conversation>()?.messages ?? [];
    const said = [...before, ...messages];
    await pay(messages.at(-1)?.id ?? '', String(config.configurable?.['run_id']));
    for (let round = 0; round < 2; round += 1) said.push(await answer(said));
    return { messages: said };
  });
}

/** Forgets everything in the middle of each answer, the question among it. */
function createTrimming(options: GraphsOptions) {
  return new StateGraph(MessagesAnnotation)
    .addNode(EFFECT_STEP, (state, config) => pay(options, state, config))
    .addNode('trim', ({ messages }) => ({
      messages: [
        new RemoveMessage({ id: REMOVE_ALL_MESSAGES }),
        new SystemMessage('A summary.'),
        new HumanMessage(`About ${messages.findLast(isQuestion)?.text}`),
      ],
    }))
    .addNode('answer', async ({ messages }) => ({ messages: [await talking(options).invoke(messages)] }))
    .addNode('more', async ({ messages }) => ({ messages: [await talking(options).invoke(messages)] }))
    .addEdge(START, EFFECT_STEP)
    .addEdge(EFFECT_STEP, 'trim')
    .addEdge('trim', 'answer')
    .addEdge('answer', 'more')
    .addEdge('more', END)
    .compile();
}

/** Replaces the first of its answers, removes the second, and replaces what it says beside an image. */
function createRedacting(options: GraphsOptions) {
  const answer = async ({ messages }: Conversation) => ({
    messages: [await talking(options).invoke(messages)],
  });
  const replaceLast =
    (content: string) =>
    ({ messages }: Conversation) => ({
      messages: [new AIMessage({ id: messages.at(-1)?.id ?? '', content })],
    });
  return new StateGraph(MessagesAnnotation)
    .addNode('first', answer)
    .addNode('replace', replaceLast('[redacted] '))
    .addNode('second', answer)
    .addNode('remove', ({ messages }) => ({
      messages: [new RemoveMessage({ id: messages.at(-1)?.id ?? '' })],
    }))
    .addNode('draw', () => ({
      messages: [
        new AIMessage({ content: [{ type: 'text', text: 'Drawn. ' }, IMAGE] }),
        new AIMessage('A secret. '),
      ],
    }))
    .addNode('hide', replaceLast('[hidden] '))
    .addNode('third', answer)
    .addEdge(START, 'first')
    .addEdge('first', 'replace')
    .addEdge('replace', 'second')
    .addEdge('second', 'remove')
    .addEdge('remove', 'draw')
    .addEdge('draw', 'hide')
    .addEdge('hide', 'third')
    .addEdge('third', END)
    .compile();
}

/** Asks twice in one node, and once beside it. */
function createAsking(options: GraphsOptions) {
  return new StateGraph(MessagesAnnotation)
    .addNode(EFFECT_STEP, (state, config) => pay(options, state, config))
    .addNode('draft', async ({ messages }) => ({ messages: [await talking(options).invoke(messages)] }))
    .addNode('review', () => {
      const first = String(interrupt({ question: 'first' }));
      const second = String(interrupt({ question: 'second', first }));
      return { messages: [new AIMessage(`Told ${first} and ${second}. `)] };
    })
    .addNode('check', () => {
      interrupt({ question: 'beside' });
      return {};
    })
    .addNode('publish', async ({ messages }) => ({ messages: [await talking(options).invoke(messages)] }))
    .addEdge(START, EFFECT_STEP)
    .addEdge(EFFECT_STEP, 'draft')
    .addEdge('draft', 'review')
    .addEdge('draft', 'check')
    .addEdge(['review', 'check'], 'publish')
    .addEdge('publish', END)
    .compile();
}

const Notes = Annotation.Root({
  ...MessagesAnnotation.spec,
  notes: Annotation<string[]>({ reducer: (before, added) => [...before, ...added], default: () => [] }),
});

/** Shows its state, draws an image, and keeps each question in the store, under the same key in every attempt. */
function createRemembering(options: GraphsOptions) {
  return new StateGraph(Notes)
    .addNode('note', async ({ messages }, { store }) => {
      const id = messages.findLast(isQuestion)?.id ?? '';
      await store?.put(['questions'], id, { id });
      const content = [{ type: 'text', text: 'Noted. ' }, IMAGE];
      return { notes: [id], messages: [new AIMessage({ content })] };
    })
    .addNode('answer', async ({ messages }) => ({ messages: [await talking(options).invoke(messages)] }))
    .addNode('recall', async ({ messages }, { store }) => {
      const id = messages.findLast(isQuestion)?.id ?? '';
      const found = await store?.get(['questions'], id);
      const words = found?.value['id'] === id ? 'Recalled. ' : 'Forgotten. ';
      return { notes: [words], messages: [new AIMessage(words)] };
    })
    .addEdge(START, 'note')
    .addEdge('note', 'answer')
    .addEdge('answer', 'recall')
    .addEdge('recall', END)
    .compile();
}

async function pay(
  options: GraphsOptions,
  { messages }: Conversation,
  { configurable }: RunnableConfig,
): Promise<{ messages: AIMessage[] }> {
  const question = messages.findLast(isQuestion);
  await act(options, question?.id ?? '', String(configurable?.['run_id']));
  return { messages: [new AIMessage(PAID)] };
}

async function act({ ledger, model }: GraphsOptions, questionId: string, runId: string): Promise<void> {
  const effect = { tool: EFFECT_STEP, runId, toolCallId: questionId, idempotencyKey: questionId };
  ledger.write({ ...effect, phase: 'begun' });
  await new Promise((resolve) => setTimeout(resolve, model.paceMs ?? 20));
  ledger.write({ ...effect, phase: 'done' });
}

function sinceQuestion(messages: readonly BaseMessage[]): readonly BaseMessage[] {
  return messages.slice(messages.findLastIndex(isQuestion) + 1);
}

function hasSpoken(messages: readonly BaseMessage[], name: string): boolean {
  return sinceQuestion(messages).some((message) => message.name === name);
}

function isQuestion(message: BaseMessage): boolean {
  return message.type === 'human';
}
