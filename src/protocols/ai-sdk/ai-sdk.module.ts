import type { Protocol } from '../protocol.module.js';
import { AiSdkController } from './ai-sdk.controller.js';
import { AiSdkChats } from './ai-sdk-chat.service.js';
import { AiSdkMessagesController } from './ai-sdk-messages.controller.js';

class AiSdkModule {}

/** The UI message stream of the AI SDK. */
export const aiSdk: Protocol = {
  module: AiSdkModule,
  path: 'ai-sdk',
  routes: () => [
    { path: '', controller: AiSdkController },
    { path: '', controller: AiSdkMessagesController },
  ],
  providers: [AiSdkChats],
};
