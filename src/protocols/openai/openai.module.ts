import type { Protocol } from '../protocol.module.js';
import { ChatCompletionsController } from './chat-completions.controller.js';
import { ModelsController } from './models.controller.js';
import { OpenAiRuns } from './openai-runs.js';
import { ResponsesController } from './responses.controller.js';

class OpenAiModule {}

/** OpenAI's Chat Completions and Responses. */
export const openAi: Protocol = {
  module: OpenAiModule,
  path: 'openai/v1',
  routes: () => [
    { path: 'chat/completions', controller: ChatCompletionsController },
    { path: 'models', controller: ModelsController },
    { path: 'responses', controller: ResponsesController },
  ],
  providers: [OpenAiRuns],
};
