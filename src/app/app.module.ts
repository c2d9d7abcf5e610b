import { type DynamicModule, Module } from '@nestjs/common';
import { fileURLToPath } from 'node:url';
import type { Agent } from '../agents/agent.js';
import type { AgentStore } from '../agents/agent-store.js';
import { createChatAgent } from '../agents/langgraph/chat.agent.js';
import { createEmbedding } from '../agents/langgraph/embedding.factory.js';
import { loadGraph, type AgentReference } from '../agents/langgraph/graph.loader.js';
import { LangGraphAgent } from '../agents/langgraph/langgraph.agent.js';
import { createModel } from '../agents/langgraph/model.factory.js';
import { ChatModule } from '../chat/chat.module.js';
import type { AgentKit } from '../chat/chat.options.js';
import type { Storage } from '../storage/storage.js';
import type { ToolLibraryOptions } from '../tools/library/tool-library.options.js';
import { listTools } from './app.tools.js';
import { giveEnvironment, type Config } from './config.js';
import { HealthController } from './health.controller.js';
import { PROTOCOLS_PREFIX } from './protocols-prefix.js';
import { SESSION_PATH } from './session-path.js';

/** This project's own documentation, seen from `src/app` and from `dist/app` alike. */
const OWN_DOCS = fileURLToPath(new URL('../../docs/', import.meta.url));

const SYSTEM_PROMPT =
  'You are a helpful assistant. Use your tools whenever they can give a better answer than your memory, several at once ' +
  'when that helps. Say where facts come from. Answer in Markdown, in the language of the question, and keep it short.';

/** Questions for the built-in agent, which show its tools. */
const SUGGESTIONS = [
  'Which countries border Austria? What time is it in Vienna? And what is 17% of 3,482?',
  'What are the five largest countries in Africa?',
  'What time is it in Tokyo, New York and Nairobi?',
  'How do I resume a stream after a lost connection?',
];

/** The standalone app: the chat module wired to the settings, and what surrounds it. The module's first customer. */
@Module({})
export class AppModule {
  static forRoot(config: Config, storage: Storage): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ChatModule.forRoot({
          ...config.chat,
          agents: (kit) => createAgents(config, kit),
          worker: config.roles.includes('worker'),
          storage,
          ...(config.roles.includes('api')
            ? { sessionPath: SESSION_PATH, protocols: { prefix: PROTOCOLS_PREFIX } }
            : { path: false }),
          tools: listTools(withKnowledge(config)),
        }),
      ],
      controllers: [HealthController],
    };
  }
}

/** The default first: it answers when a request names no agent. */
async function createAgents(config: Config, given: AgentKit): Promise<Agent[]> {
  giveEnvironment(config.graphEnv);
  const kit = { ...given, store: await withIndex(given.store, config) };
  const made = config.agentNames.map((name) => {
    const reference = config.agents.find((agent) => agent.name === name);
    return reference ? makeGraphAgent(reference, config, kit) : makeAssistant(name, config, kit);
  });
  return Promise.all(made);
}

async function withIndex(store: AgentStore, { storeIndex }: Config): Promise<AgentStore> {
  if (!storeIndex) return store;
  const { embed, apiKey, ...index } = storeIndex;
  return { ...store, index: { ...index, embed: await createEmbedding(embed, { dims: index.dims, apiKey }) } };
}

async function makeAssistant(
  name: string,
  { model, assistant, suggestions }: Config,
  { tracking, checkpointer, tools, store }: AgentKit,
): Promise<Agent> {
  return createChatAgent({
    name,
    description: 'Answers with the tools of this server.',
    model: await createModel(model.name, model),
    fallbacks: await Promise.all(
      model.fallbacks.map((each) => createModel(each.name, { ...model, ...each })),
    ),
    systemPrompt: SYSTEM_PROMPT,
    tools,
    tracking,
    checkpointer,
    store,
    suggestions: suggestions.get(name) ?? SUGGESTIONS,
    ...assistant,
  });
}

async function makeGraphAgent(
  { name, reference, description, exposesState, defaults }: AgentReference,
  {
    configurableKeys,
    exposedState,
    exposedTools,
    exposedErrors,
    graphAccepts,
    stateChanges,
    stateHistory,
    ownGraphs,
    assistant,
    suggestions,
  }: Config,
  { tracking, checkpointer, store }: AgentKit,
): Promise<Agent> {
  const graph = await loadGraph(reference);
  const exposeState = exposedState.get(name) ?? exposesState;
  const accepts = graphAccepts.get(name);
  const own = typeof graph === 'function' ? undefined : graph.description;
  return new LangGraphAgent({
    name,
    // Not where it was loaded from: everybody who may sign in reads this.
    description: description ?? (own || `Answers with the graph '${name}' of this server.`),
    graph,
    module: reference,
    tracking,
    checkpointer,
    store,
    ...(assistant.toolResultMaxBytes !== undefined && { toolResultMaxBytes: assistant.toolResultMaxBytes }),
    ...ownGraphs,
    ...(exposeState !== undefined && { exposeState }),
    exposeTools: exposedTools.get(name) ?? false,
    exposeErrors: exposedErrors.includes(name),
    configurable: configurableKeys.get(name) ?? false,
    ...(accepts && { accepts }),
    takesStateChanges: stateChanges.includes(name),
    keepsStates: stateHistory.includes(name),
    ...(defaults && { defaults }),
    suggestions: suggestions.get(name) ?? [],
  });
}

function withKnowledge({ library }: Config): ToolLibraryOptions {
  return { knowledgeDirectory: OWN_DOCS, ...library };
}
