import type { DynamicModule } from '@nestjs/common';
import { AgentRegistry } from './agent.registry.js';

/** The agents that can be asked. `ChatLifecycle` makes them, once all tools are known. */
export class AgentsModule {
  /** Each call is an instance of its own. */
  static forRoot(): DynamicModule {
    return { module: AgentsModule, providers: [AgentRegistry], exports: [AgentRegistry] };
  }
}
