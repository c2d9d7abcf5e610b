import { Body, Controller, Delete, HttpCode, Param, Put } from '@nestjs/common';
import { ApiParam, ApiTags } from '@nestjs/swagger';
import { CurrentPrincipal } from '../auth/authentication.js';
import { Endpoint } from '../http/endpoint.decorator.js';
import { SchemaPipe } from '../http/validate.js';
import type { Principal } from '../principal.js';
import { FeedbackService } from '../runs/feedback.service.js';
import { givenFeedbackSchema, type GivenFeedbackDto } from '../streams/feedback.schemas.js';
import { runSchema, toRunDto, type RunDto } from './dto/responses.dto.js';

const RUN_ID = { name: 'runId', description: "The run's id." };

/** The judgement of a person on an answer that they got. */
@ApiTags('chat')
@Controller()
export class FeedbackController {
  constructor(private readonly feedback: FeedbackService) {}

  @Put('runs/:runId/feedback')
  @ApiParam(RUN_ID)
  @Endpoint({
    summary: 'Rate an answer',
    description: 'Takes the place of earlier feedback on this run. It is deleted with the thread.',
    accepts: givenFeedbackSchema,
    reply: { status: 200, description: 'The run, with the feedback.', schema: runSchema },
    problems: ['NOT_FOUND'],
  })
  async give(
    @CurrentPrincipal() principal: Principal,
    @Param('runId') runId: string,
    @Body(new SchemaPipe(givenFeedbackSchema)) { rating, comment }: GivenFeedbackDto,
  ): Promise<RunDto> {
    const given = { rating, ...(comment !== undefined && { comment }) };
    return toRunDto(await this.feedback.give(principal, runId, given));
  }

  @Delete('runs/:runId/feedback')
  @HttpCode(204)
  @ApiParam(RUN_ID)
  @Endpoint({
    summary: 'Withdraw feedback',
    reply: { status: 204, description: 'There is none.' },
    problems: ['NOT_FOUND'],
  })
  withdraw(@CurrentPrincipal() principal: Principal, @Param('runId') runId: string): Promise<void> {
    return this.feedback.withdraw(principal, runId);
  }
}
