import { Controller, Get, Header, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { CurrentPrincipal } from '../auth/authentication.js';
import { Endpoint } from '../http/endpoint.decorator.js';
import { SchemaPipe } from '../http/validate.js';
import type { Principal } from '../principal.js';
import { FeedbackService } from '../runs/feedback.service.js';
import {
  feedbackQuerySchema,
  readFeedbackQuery,
  toFeedbackLine,
  type FeedbackQueryDto,
} from './dto/operator-feedback.dto.js';
import { OversightGuard, OversightRoles } from './oversight.guard.js';

/** For those who run the service: what people say about the answers. */
@ApiTags('operator')
@Controller()
export class OperatorFeedbackController {
  constructor(
    private readonly oversight: OversightRoles,
    private readonly feedback: FeedbackService,
  ) {}

  @Get('operator/feedback')
  @Header('Content-Type', 'application/x-ndjson')
  @Endpoint({
    summary: 'Export the feedback of everybody',
    description:
      'JSON lines, in the order of the last change: each names a run and its feedback, without what was asked and answered. ' +
      'If there is more, the last line is `{"nextCursor": …}`: ask again with it as `cursor`. ' +
      'Of all tenants for operators, of your own tenant for its operators.',
    reply: { status: 200, description: 'A page of feedback.' },
    query: feedbackQuerySchema,
    reads: true,
    guards: [OversightGuard],
    problems: ['FORBIDDEN'],
  })
  async list(
    @CurrentPrincipal() by: Principal,
    @Query(new SchemaPipe(feedbackQuerySchema)) query: FeedbackQueryDto,
  ): Promise<string> {
    const { items, nextCursor } = await this.feedback.list(this.oversight.get(by), readFeedbackQuery(query));
    const lines = [...items.map(toFeedbackLine), ...(nextCursor ? [JSON.stringify({ nextCursor })] : [])];
    return lines.map((line) => `${line}\n`).join('');
  }
}
