import { Body, Controller, Delete, HttpCode, Param, Post } from '@nestjs/common';
import { ApiParam, ApiTags } from '@nestjs/swagger';
import { CurrentPrincipal } from '../auth/authentication.js';
import { Endpoint } from '../http/endpoint.decorator.js';
import { SchemaPipe } from '../http/validate.js';
import type { Principal } from '../principal.js';
import { MessageService } from '../runs/message.service.js';
import {
  runMessageSchema,
  addMessageSchema,
  type RunMessageDto,
  type AddMessageBody,
} from './dto/messages.dto.js';

const RUN_ID = { name: 'runId', description: "The run's id." };

/** Messages to a run while it is under way. */
@ApiTags('chat')
@Controller()
export class MessagesController {
  constructor(private readonly messages: MessageService) {}

  @Post('runs/:runId/messages')
  @HttpCode(202)
  @ApiParam(RUN_ID)
  @Endpoint({
    summary: 'Send a message to a run that is under way',
    description:
      'The run takes it before its next step. If the run takes none, because it has ended, waits for an answer, or its agent cannot, the reply is 409 `RUN_CLOSED`.',
    accepts: addMessageSchema,
    reply: { status: 202, description: 'The message, which is stored.', schema: runMessageSchema },
    problems: [
      'NOT_FOUND',
      'RUN_CLOSED',
      'REQUEST_TOO_LARGE',
      'AGENT_UNKNOWN',
      'SWITCHED_OFF',
      'RATE_LIMITED',
    ],
  })
  async add(
    @CurrentPrincipal() principal: Principal,
    @Param('runId') runId: string,
    @Body(new SchemaPipe(addMessageSchema)) body: AddMessageBody,
  ): Promise<RunMessageDto> {
    const text = typeof body.message === 'string' ? body.message : body.message.message;
    const { messageId, id, at, ...added } = await this.messages.add(principal, runId, { id: body.id, text });
    return { id, messageId, message: added.text, at };
  }

  @Delete('runs/:runId/messages/:messageId')
  @HttpCode(204)
  @ApiParam(RUN_ID)
  @ApiParam({ name: 'messageId', description: 'The `id` of the message.' })
  @Endpoint({
    summary: 'Withdraw a message that its run has not taken',
    reply: { status: 204, description: 'The run will not get it.' },
    problems: ['NOT_FOUND', 'MESSAGE_TAKEN'],
  })
  withdraw(
    @CurrentPrincipal() principal: Principal,
    @Param('runId') runId: string,
    @Param('messageId') messageId: string,
  ): Promise<void> {
    return this.messages.withdraw(principal, runId, messageId);
  }
}
