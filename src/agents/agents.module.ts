import type { DynamicModule, FactoryProvider, ModuleMetadata } from '@nestjs/common';
import { AgentMemory } from './agent-memory.js';
import { AgentRegistry } from './agent.registry.js';
import type { AgentStore } from './agent-store.js';
import { GraphMemory } from './langgraph/graph-memory.js';

interface AgentsModuleOptions
  extends Pick<ModuleMetadata, 'imports'>, Pick<FactoryProvider<AgentStore>, 'inject' | 'useFactory'> {}

/** The agents that can be asked, and what they remember. `ChatLifecycle` makes the agents, once all tools are known. */
export class AgentsModule {
  /** Each call is an instance of its own. @param store what the graphs keep beyond threads */
  static forRootAsync({ imports = [], useFactory, inject = [] }: AgentsModuleOptions): DynamicModule {
    return {
      module: AgentsModule,
      imports,
      providers: [
        AgentRegistry,
        {
          provide: AgentMemory,
          inject,
          useFactory: async (...args: unknown[]) => new GraphMemory(await useFactory(...args)),
        },
      ],
      exports: [AgentRegistry, AgentMemory],
    };
  }
}
