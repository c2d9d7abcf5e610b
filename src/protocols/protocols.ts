import type { Provider, Type } from '@nestjs/common';
import { A2aController } from './a2a/a2a.controller.js';
import { A2aTaskLists } from './a2a/a2a.list.js';
import { A2aTasks } from './a2a/a2a.tasks.js';
import { agentCardControllerAt } from './a2a/agent-card.controller.js';
import { AgUiController } from './ag-ui/ag-ui.controller.js';
import { AgUiStream } from './ag-ui/ag-ui.stream.js';
import { CopilotKitController } from './ag-ui/copilotkit.controller.js';
import { AiSdkController } from './ai-sdk/ai-sdk.controller.js';
import { AiSdkMessagesController } from './ai-sdk/ai-sdk.messages.controller.js';
import { LangGraphAssistantsController } from './langgraph/langgraph.assistants.controller.js';
import { LangGraphCommands } from './langgraph/langgraph.commands.js';
import { LangGraphController } from './langgraph/langgraph.controller.js';
import { LangGraphStream } from './langgraph/langgraph.stream.js';
import { LangGraphThreadsController } from './langgraph/langgraph.threads.controller.js';
import { LangGraphThreads } from './langgraph/langgraph.threads.js';
import { RunStreamController } from './langgraph/run-stream.controller.js';
import { RunStarts, RunStreams } from './langgraph/run-stream.guards.js';
import { ChatCompletionsController } from './openai/chat-completions.controller.js';
import { ModelsController } from './openai/models.controller.js';
import { OpenAiRuns } from './openai/openai.runs.js';
import { ResponsesController } from './openai/responses.controller.js';
import { MessageRuns } from './message.runs.js';
import { ProtocolStreams } from './protocol.streams.js';
import { ThreadApprovals } from './thread.approvals.js';
import { ThreadRuns } from './thread.runs.js';
import { ThreadTranscripts } from './transcript/thread.transcripts.js';

/** A controller of a protocol, and where it is. */
export interface ProtocolRoute {
  /** Below the prefix of all protocols; from the root of the server when it begins with a slash. */
  readonly path: string;
  readonly controller: Type<object>;
}

/** Where the protocols are, when nothing else is said. */
const DEFAULT_PREFIX = 'protocols';

/** Every wire dialect that is served beside our own. */
const ROUTES: readonly ProtocolRoute[] = [
  { path: 'a2a', controller: A2aController },
  { path: 'a2a', controller: agentCardControllerAt('') },
  { path: 'ag-ui', controller: AgUiController },
  { path: 'ag-ui/copilotkit', controller: CopilotKitController },
  { path: 'ai-sdk', controller: AiSdkController },
  { path: 'ai-sdk', controller: AiSdkMessagesController },
  { path: 'langgraph', controller: RunStreamController },
  { path: 'langgraph/assistants', controller: LangGraphAssistantsController },
  { path: 'langgraph/threads', controller: LangGraphThreadsController },
  { path: 'langgraph/threads/:threadId', controller: LangGraphController },
  { path: 'openai/v1/chat/completions', controller: ChatCompletionsController },
  { path: 'openai/v1/models', controller: ModelsController },
  { path: 'openai/v1/responses', controller: ResponsesController },
];

/** What the controllers of the protocols share. */
export const PROTOCOL_PROVIDERS: readonly Provider[] = [
  MessageRuns,
  ThreadApprovals,
  ThreadRuns,
  ThreadTranscripts,
  ProtocolStreams,
  A2aTaskLists,
  A2aTasks,
  AgUiStream,
  LangGraphCommands,
  LangGraphStream,
  LangGraphThreads,
  OpenAiRuns,
  RunStarts,
  RunStreams,
];

/** The routes with their prefix. */
export function protocolRoutes(prefix: string = DEFAULT_PREFIX): ProtocolRoute[] {
  // A2A clients look for the card of a server at its root.
  const card = { path: '/', controller: agentCardControllerAt(`${prefix}/a2a`) };
  return [...ROUTES, card].map(({ path, controller }) => ({
    path: path.startsWith('/') ? path : `${prefix}/${path}`,
    controller,
  }));
}
