import type { Protocol } from '../protocol.module.js';
import { LangGraphAssistantsController } from './langgraph-assistants.controller.js';
import { LangGraphCommands } from './langgraph-commands.js';
import { LangGraphController } from './langgraph.controller.js';
import { LangGraphStream } from './langgraph-stream.js';
import { LangGraphThreadsController } from './langgraph-threads.controller.js';
import { LangGraphThreads } from './langgraph-threads.js';
import { RunStreamController } from './run-stream.controller.js';
import { RunStreams } from './run-stream.service.js';

class LangGraphModule {}

/** The two APIs of LangGraph's servers. */
export const langGraph: Protocol = {
  module: LangGraphModule,
  path: 'langgraph',
  routes: () => [
    { path: '', controller: RunStreamController },
    { path: 'assistants', controller: LangGraphAssistantsController },
    { path: 'threads', controller: LangGraphThreadsController },
    { path: 'threads/:threadId', controller: LangGraphController },
  ],
  providers: [LangGraphCommands, LangGraphStream, LangGraphThreads, RunStreams],
};
