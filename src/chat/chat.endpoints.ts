import { applyDecorators, Header, HttpCode } from '@nestjs/common';
import { ApiExcludeEndpoint, ApiHeader, ApiParam, ApiQuery } from '@nestjs/swagger';
import { AcceptsTicket } from '../auth/accepts-ticket.decorator.js';
import { Endpoint } from '../http/endpoint.decorator.js';
import { answerSchema } from '../streams/input-answer.schema.js';
import { runLogQuerySchema } from '../streams/run-log.js';
import { runQuerySchema } from '../streams/run-list.schemas.js';
import { START_PROBLEMS } from '../streams/start-problems.js';
import { frameDataSchema } from './dto/event.schemas.js';
import {
  decidedSchema,
  runPageSchema,
  runSchema,
  runStartedSchema,
  ticketSchema,
} from './dto/responses.dto.js';
import { startRunSchema } from './dto/start-run.dto.js';

/** The guards of each route of ChatController, and its page in the API's description. */

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

/** The parts that all routes share which start a run. */
const START = {
  accepts: startRunSchema,
  starts: true,
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
      summary: 'Start a run and stream it',
      description:
        'Starts a run and streams it. `Location` names its event stream, for a reconnect with GET.',
      reply: {
        status: 200,
        description: 'The run, from its first event to its `end`.',
        schema: frameDataSchema,
      },
      streams: true,
      sse: true,
    }),
  );

export const StartEndpoint = () =>
  applyDecorators(
    HttpCode(202),
    idempotencyKey,
    Endpoint({
      ...START,
      summary: 'Start a run without streaming it',
      reply: { status: 202, description: 'The run has been accepted.', schema: runStartedSchema },
    }),
  );

export const EventsEndpoint = () =>
  applyDecorators(
    AcceptsTicket({ kind: 'run-events', parameter: 'runId' }),
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
      summary: 'Stream a run',
      description: 'History after the cursor, then live. A finished run replays whole; past its end: 204.',
      reply: { status: 200, description: 'The events after the cursor.', schema: frameDataSchema },
      streams: true,
      sse: true,
      problems: ['NOT_FOUND', 'CURSOR_INVALID'],
    }),
  );

export const EventsHeadEndpoint = () =>
  applyDecorators(
    AcceptsTicket({ kind: 'run-events', parameter: 'runId' }),
    ApiExcludeEndpoint(),
    Endpoint({
      summary: "Get the headers of a run's stream",
      reply: { status: 200, description: 'As of the stream.' },
      streams: true,
    }),
  );

export const RunsEndpoint = () =>
  Endpoint({
    summary: 'List your runs of all threads',
    reply: { status: 200, description: 'A page of runs.', schema: runPageSchema },
    query: runQuerySchema,
    reads: true,
  });

export const RunEndpoint = () =>
  applyDecorators(
    runId,
    Endpoint({
      summary: 'Get a run',
      reply: { status: 200, description: 'The run.', schema: runSchema },
      reads: true,
      problems: ['NOT_FOUND'],
    }),
  );

export const RunLogEndpoint = () =>
  applyDecorators(
    runId,
    Header('Content-Type', 'application/x-ndjson'),
    Endpoint({
      summary: "Get a run's log as a file",
      description:
        'JSON lines: the run, then its events, each with its seq, epoch and time. About 4 MiB at most: for the rest, ask again with `after`.',
      reply: { status: 200, description: 'The log, or the part of it after `after`.' },
      query: runLogQuerySchema,
      reads: true,
      problems: ['NOT_FOUND'],
    }),
  );

export const CancelEndpoint = () =>
  applyDecorators(
    HttpCode(202),
    runId,
    Endpoint({
      summary: 'Cancel a run',
      description:
        'Reaches the model and the tools; what was said is kept, and the stream ends with `cancelled`.',
      reply: { status: 202, description: 'The run, as it stands now.', schema: runSchema },
      problems: ['NOT_FOUND'],
    }),
  );

export const AnswerEndpoint = () =>
  applyDecorators(
    HttpCode(200),
    runId,
    ApiParam({ name: 'inputId', description: 'From its `input-request`.' }),
    Endpoint({
      summary: 'Answer an input that a run waits for',
      description:
        'Approve it, approve it with other arguments, or deny it. The last missing answer starts the run that goes on.',
      accepts: answerSchema,
      reply: {
        status: 200,
        description: 'How the run stands, and what continues it.',
        schema: decidedSchema,
      },
      problems: ['NOT_FOUND', 'INPUT_CLOSED'],
    }),
  );

export const TicketEndpoint = () =>
  applyDecorators(
    HttpCode(200),
    runId,
    Endpoint({
      summary: 'Get a ticket for an EventSource',
      description:
        'For clients with neither a cookie nor a way to send headers. Good for this run only, for some minutes.',
      reply: { status: 200, description: 'The ticket, and the URL with it.', schema: ticketSchema },
      problems: ['NOT_FOUND'],
    }),
  );
