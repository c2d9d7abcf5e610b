import { applyDecorators, HttpCode } from '@nestjs/common';
import { ApiHeader, ApiParam, ApiQuery } from '@nestjs/swagger';
import { AcceptsTicket } from '../auth/accepts-ticket.decorator.js';
import { Endpoint } from '../http/endpoint.decorator.js';
import { runFrameSchema } from './dto/event.schemas.js';
import { answerSchema } from './dto/answer.dto.js';
import { decidedSchema, runSchema, runStartedSchema, ticketSchema } from './dto/responses.dto.js';
import { startRunSchema } from './dto/start-run.dto.js';
import { RunGuard, UnfinishedRunGuard } from './run.guard.js';
import { StartRunGuard } from './start-run.guard.js';
import { START_PROBLEMS } from './start.problems.js';

/** What each route of ChatController answers, who guards it, and how the API's description shows it. */

const runId = ApiParam({ name: 'runId', description: "The run's id." });
const lastEventId = ApiHeader({
  name: 'Last-Event-ID',
  required: false,
  description: 'The last frame you have; EventSource sends it.',
});
const idempotencyKey = ApiHeader({
  name: 'Idempotency-Key',
  required: false,
  description: 'The same key finds the same run.',
});

/** What every route has that starts a run. */
const START = {
  accepts: startRunSchema,
  starts: true,
  guards: [StartRunGuard],
  problems: [...START_PROBLEMS, 'CURSOR_INVALID'],
} as const;

export const AskEndpoint = () =>
  applyDecorators(
    // Nest answers a POST with 201 otherwise, also a stream.
    HttpCode(200),
    idempotencyKey,
    lastEventId,
    Endpoint({
      ...START,
      summary: 'Ask, and watch the answer',
      description:
        'Starts a run and streams it. `Location` names its event stream, for a reconnect with GET.',
      answers: {
        status: 200,
        description: 'The run, from its first event to its `end`.',
        schema: runFrameSchema,
      },
      streams: true,
    }),
  );

export const StartEndpoint = () =>
  applyDecorators(
    HttpCode(202),
    idempotencyKey,
    Endpoint({
      ...START,
      summary: 'Ask, and watch later',
      answers: { status: 202, description: 'The run has been accepted.', schema: runStartedSchema },
    }),
  );

export const EventsEndpoint = () =>
  applyDecorators(
    AcceptsTicket('runId'),
    runId,
    lastEventId,
    ApiQuery({
      name: 'lastEventId',
      required: false,
      description: 'In place of the header, which a new EventSource cannot send.',
    }),
    ApiQuery({
      name: 'ticket',
      required: false,
      description: 'In place of credentials, which an EventSource cannot send.',
    }),
    Endpoint({
      summary: 'Watch a run',
      description: 'History after the cursor, then live. A finished run replays whole; past its end: 204.',
      answers: { status: 200, description: 'The events after the cursor.', schema: runFrameSchema },
      streams: true,
      guards: [RunGuard, UnfinishedRunGuard],
      problems: ['NOT_FOUND', 'CURSOR_INVALID'],
    }),
  );

export const RunEndpoint = () =>
  applyDecorators(
    runId,
    Endpoint({
      summary: 'How a run stands',
      answers: { status: 200, description: 'The run.', schema: runSchema },
      guards: [RunGuard],
      problems: ['NOT_FOUND'],
    }),
  );

export const CancelEndpoint = () =>
  applyDecorators(
    HttpCode(202),
    runId,
    Endpoint({
      summary: 'Stop a run',
      description:
        'Reaches the model and the tools; what was said is kept, and the stream ends with `cancelled`.',
      answers: { status: 202, description: 'The run, as it stands now.', schema: runSchema },
      guards: [RunGuard],
      problems: ['NOT_FOUND'],
    }),
  );

export const AnswerEndpoint = () =>
  applyDecorators(
    HttpCode(200),
    runId,
    ApiParam({ name: 'approvalId', description: 'From its `approval-request`.' }),
    Endpoint({
      summary: 'Decide on a tool call that waits',
      description:
        'Approve it, approve it with other arguments, or deny it. The last missing answer starts the run that goes on.',
      accepts: answerSchema,
      answers: {
        status: 200,
        description: 'How the run stands, and what continues it.',
        schema: decidedSchema,
      },
      guards: [RunGuard],
      problems: ['NOT_FOUND', 'APPROVAL_CLOSED'],
    }),
  );

export const TicketEndpoint = () =>
  applyDecorators(
    HttpCode(200),
    runId,
    Endpoint({
      summary: 'A ticket for an EventSource',
      description:
        'For clients with neither a cookie nor a way to send headers. Good for this run only, for some minutes.',
      answers: { status: 200, description: 'The ticket, and the URL with it.', schema: ticketSchema },
      guards: [RunGuard],
      problems: ['NOT_FOUND'],
    }),
  );
