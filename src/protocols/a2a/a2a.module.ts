import type { Protocol } from '../protocol.module.js';
import { A2aCalls } from './a2a-call.service.js';
import { A2aController } from './a2a.controller.js';
import { A2aTaskLists } from './a2a.list.js';
import { A2aTasks } from './a2a-tasks.js';
import { agentCardControllerAt } from './agent-card.controller.js';

class A2aModule {}

/** A2A, the Agent2Agent protocol. */
export const a2a: Protocol = {
  module: A2aModule,
  path: 'a2a',
  routes: (path) => [
    { path: '', controller: A2aController },
    { path: '', controller: agentCardControllerAt('AgentCardController', ''), isOpen: true },
    // Clients look for the card of a server at its root.
    { path: '/', controller: agentCardControllerAt('RootAgentCardController', path), isOpen: true },
  ],
  providers: [A2aCalls, A2aTaskLists, A2aTasks],
};
