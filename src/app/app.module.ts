import { type DynamicModule, Module } from '@nestjs/common';
import { fileURLToPath } from 'node:url';
import type { Agent } from '../agents/agent.js';
import { createChatAgent } from '../agents/langgraph/chat.agent.js';
import { loadGraph } from '../agents/langgraph/graph.loader.js';
import { LangGraphAgent } from '../agents/langgraph/langgraph.agent.js';
import { createModel } from '../agents/langgraph/model.factory.js';
import { ChatModule } from '../chat/chat.module.js';
import type { AgentKit, ChatModuleOptions } from '../chat/chat.options.js';
import type { ThrottlingCounters } from '../throttling/throttling.options.js';
import { LIBRARY_TOOLS } from '../tools/library/tool-library.js';
import { ToolLibraryOptions } from '../tools/library/tool-library.options.js';
import type { AppStorage } from './app.storage.js';
import type { Config } from './config.js';
import { HealthController } from './health.controller.js';
import { Readiness } from './readiness.js';

/** This project's own documentation, seen from `src/app` and from `dist/app` alike. */
const OWN_DOCS = fileURLToPath(new URL('../../docs/', import.meta.url));

const SYSTEM_PROMPT =
  'You are a helpful assistant. Use your tools whenever they can give a better answer than your memory, several at once ' +
  'when that helps. Say where facts come from. Answer in Markdown, in the language of the question, and keep it short.';

/** Where the client libraries are served that people have already. */
export const PROTOCOLS_PREFIX = 'protocols';

/** The standalone app: the chat module wired to the settings, and what surrounds it. The module's first customer. */
@Module({})
export class AppModule {
  static forRoot(config: Config, { storage, counters }: AppStorage): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ChatModule.forRoot({
          ...chatOptions(config, counters),
          storage,
          ...(config.roles.includes('api') ? { protocols: { prefix: PROTOCOLS_PREFIX } } : { path: false }),
          tools: [...LIBRARY_TOOLS, { provide: ToolLibraryOptions, useValue: libraryOptions(config) }],
        }),
      ],
      controllers: [HealthController],
      providers: [Readiness],
    };
  }
}

function chatOptions(
  config: Config,
  counters: ThrottlingCounters | undefined,
): Omit<ChatModuleOptions, 'storage'> {
  const { limits, auth, retention, heartbeatMs, drainMs } = config;
  return {
    auth,
    agents: (kit) => agentsOf(config, kit),
    throttling: {
      startsPerMinute: limits.startsPerMinute,
      openStreams: limits.maxOpenStreams,
      ...(counters && { counters }),
    },
    limits: {
      wallClockMs: limits.run.maxMs,
      modelCalls: limits.run.maxModelCalls,
      toolCalls: limits.run.maxToolCalls,
      tokens: limits.run.maxTokens,
      logBytes: limits.run.maxLogBytes,
    },
    retention,
    worker: config.roles.includes('worker'),
    maxConcurrentRuns: limits.maxConcurrentRuns,
    whenBusy: limits.threadBusy,
    approvals: limits.approvals,
    maxMessageBytes: limits.maxMessageBytes,
    heartbeatMs,
    drainMs,
  };
}

/** The assistant first: it answers when a request names no agent. */
async function agentsOf({ model, agents }: Config, kit: AgentKit): Promise<Agent[]> {
  const { tracking, checkpointer, tools } = kit;
  const assistant = createChatAgent({
    name: 'assistant',
    description: 'Answers with the tools of this server.',
    model: await createModel(model.name, model),
    systemPrompt: SYSTEM_PROMPT,
    tools,
    tracking,
    checkpointer,
  });
  const own = agents.map(async ({ name, reference }) => {
    const graph = await loadGraph(reference);
    return new LangGraphAgent({
      name,
      description: `The graph ${reference}.`,
      graph,
      tracking,
      checkpointer,
    });
  });
  return [assistant, ...(await Promise.all(own))];
}

function libraryOptions({ tools }: Config): ToolLibraryOptions {
  const { knowledgeDir, fetchAllowedHosts, ...others } = tools;
  return {
    ...others,
    knowledgeDirectory: knowledgeDir ?? OWN_DOCS,
    ...(fetchAllowedHosts && { httpFetch: { allowedHosts: fetchAllowedHosts } }),
  };
}
