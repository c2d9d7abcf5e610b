import type { Protocol } from '../protocol.module.js';
import { LangGraphAssistants } from './langgraph-assistants.js';
import { LangGraphAssistantsController } from './langgraph-assistants.controller.js';
import { LangGraphCommands } from './langgraph-commands.js';
import { LangGraphController } from './langgraph.controller.js';
import { LangGraphInfoController } from './langgraph-info.controller.js';
import { LangGraphRefusalsController } from './langgraph-refusals.controller.js';
import { LangGraphStoreController } from './langgraph-store.controller.js';
import { LangGraphMoments } from './langgraph-moments.js';
import { LangGraphPlaces } from './langgraph-places.js';
import { LangGraphStateController } from './langgraph-state.controller.js';
import { LangGraphStateUpdates } from './langgraph-state-updates.js';
import { LangGraphStream } from './langgraph-stream.js';
import { LangGraphThreadsController } from './langgraph-threads.controller.js';
import { LangGraphThreadLists } from './langgraph-thread-lists.js';
import { LangGraphThreads } from './langgraph-threads.js';
import { RunStreamController } from './run-stream.controller.js';
import { RunWaitController } from './run-wait.controller.js';
import { RunStreams } from './run-stream.service.js';

class LangGraphModule {}

/** The two APIs of LangGraph's servers. */
export const langGraph: Protocol = {
  module: LangGraphModule,
  path: 'langgraph',
  routes: () => [
    { path: '', controller: LangGraphInfoController, isOpen: true },
    { path: '', controller: RunWaitController },
    { path: '', controller: RunStreamController },
    { path: '', controller: LangGraphRefusalsController },
    { path: 'store', controller: LangGraphStoreController },
    { path: 'assistants', controller: LangGraphAssistantsController },
    { path: 'threads', controller: LangGraphThreadsController },
    { path: 'threads/:threadId', controller: LangGraphController },
    { path: 'threads/:threadId/state', controller: LangGraphStateController },
  ],
  providers: [
    LangGraphAssistants,
    LangGraphCommands,
    LangGraphMoments,
    LangGraphPlaces,
    LangGraphStateUpdates,
    LangGraphStream,
    LangGraphThreadLists,
    LangGraphThreads,
    RunStreams,
  ],
};
