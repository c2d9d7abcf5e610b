import { Controller, Get, Param } from '@nestjs/common';
import { ApiParam, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { CurrentPrincipal } from '../../auth/authentication.js';
import { Endpoint } from '../../http/endpoint.decorator.js';
import type { Principal } from '../../principal.js';
import { FileAddresses } from '../../streams/file-addresses.js';
import { ThreadRuns } from '../thread-runs.js';
import { toAiSdkMessages, type AiSdkMessage } from './ai-sdk-messages.js';

const messagesSchema = z.array(
  z
    .looseObject({
      id: z.string(),
      role: z.enum(['user', 'assistant']),
      parts: z.array(z.looseObject({ type: z.string() })),
    })
    .meta({ id: 'AiSdkMessage', description: 'A UIMessage of the AI SDK.' }),
);

/** Returns the `messages` with which a chat of the AI SDK begins after a page load. */
@ApiTags('protocols: AI SDK')
@Controller()
export class AiSdkMessagesController {
  constructor(
    private readonly runs: ThreadRuns,
    private readonly files: FileAddresses,
  ) {}

  @Get('chat/:chatId/messages')
  @ApiParam({ name: 'chatId', description: "The chat's id, as the client minted it." })
  @Endpoint({
    summary: "Get a chat's messages as UI messages",
    description:
      'Without the answer of a run that goes on: resuming tells it. Empty for a chat that does not exist yet.',
    reply: {
      status: 200,
      description: 'The last hundred questions and their answers.',
      schema: messagesSchema,
    },
    reads: true,
  })
  async messages(
    @CurrentPrincipal() principal: Principal,
    @Param('chatId') chatId: string,
  ): Promise<AiSdkMessage[]> {
    const messages = await this.runs.listRunsWithMessage(principal, chatId);
    return toAiSdkMessages(chatId, messages, this.files.toAddress);
  }
}
