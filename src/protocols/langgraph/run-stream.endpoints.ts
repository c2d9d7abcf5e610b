import { applyDecorators, HttpCode } from '@nestjs/common';
import { ApiHeader, ApiParam, ApiQuery } from '@nestjs/swagger';
import { z } from 'zod';
import { START_PROBLEMS } from '../../chat/start.problems.js';
import { Endpoint } from '../../http/endpoint.decorator.js';
import { runSchema } from './langgraph.resources.js';
import { JoinStreamGuard, RunStreamGuard } from './run-stream.guards.js';
import { runRequestSchema } from './run-stream.input.js';

/** What each route of RunStreamController answers, who guards it, and how the API's description shows it. */

export const THREAD_ID = ApiParam({ name: 'threadId', description: "The conversation's id." });
export const RUN_ID = ApiParam({ name: 'runId', description: "The run's id." });
const LAST_EVENT_ID = ApiHeader({
  name: 'Last-Event-ID',
  required: false,
  description: 'The last frame you have; `-1` for none.',
});
const STREAM_MODE = ApiQuery({ name: 'stream_mode', required: false, isArray: true, type: String });

const STREAM = z.looseObject({}).meta({ id: 'LangGraphRunStream' });
const STARTS = {
  accepts: runRequestSchema,
  starts: true,
  problems: [...START_PROBLEMS, 'APPROVAL_CLOSED'],
} as const;

/** Whether the route names the thread. */
interface Place {
  readonly inThread: boolean;
}

const paramsOf = ({ inThread }: Place) => (inThread ? [THREAD_ID] : []);

export const StreamRunEndpoint = (place: Place) =>
  applyDecorators(
    HttpCode(200),
    ...paramsOf(place),
    Endpoint({
      ...STARTS,
      summary: place.inThread
        ? 'Start a run and stream it'
        : 'Start a run in a thread of its own and stream it',
      description:
        'In the modes that the body names: `values`, `updates`, `messages-tuple`, `messages`, `custom`, `tools`.',
      answers: { status: 200, description: 'From `metadata` to `end`.', schema: STREAM },
      streams: true,
      guards: [RunStreamGuard],
    }),
  );

export const JoinStreamEndpoint = (place: Place) =>
  applyDecorators(
    ...paramsOf(place),
    RUN_ID,
    LAST_EVENT_ID,
    STREAM_MODE,
    Endpoint({
      summary: 'Stream a run that was started before',
      description: 'From its first event, or behind the one that the client has.',
      answers: { status: 200, description: 'What follows, to `end`.', schema: STREAM },
      streams: true,
      guards: [JoinStreamGuard],
      problems: ['NOT_FOUND', 'CURSOR_INVALID'],
    }),
  );

export const CreateRunEndpoint = () =>
  applyDecorators(
    HttpCode(200),
    THREAD_ID,
    Endpoint({
      ...STARTS,
      summary: 'Start a run, and stream it later',
      answers: { status: 200, description: 'The run.', schema: runSchema },
    }),
  );

export const ListRunsEndpoint = () =>
  applyDecorators(
    THREAD_ID,
    Endpoint({
      summary: 'The runs of a thread, the newest first',
      answers: { status: 200, description: 'At most 100.', schema: z.array(runSchema) },
      problems: ['NOT_FOUND'],
    }),
  );

export const GetRunEndpoint = () =>
  applyDecorators(
    THREAD_ID,
    RUN_ID,
    Endpoint({
      summary: 'How a run stands',
      answers: { status: 200, description: 'The run.', schema: runSchema },
      problems: ['NOT_FOUND'],
    }),
  );

export const CancelRunEndpoint = () =>
  applyDecorators(
    HttpCode(202),
    THREAD_ID,
    RUN_ID,
    Endpoint({
      summary: 'Stop a run, in LangGraph words',
      description: 'With `wait=1` the answer comes when it has ended.',
      answers: { status: 202, description: 'It is being stopped.', schema: z.object({}) },
      problems: ['NOT_FOUND'],
    }),
  );
