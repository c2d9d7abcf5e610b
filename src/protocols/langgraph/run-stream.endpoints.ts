import { applyDecorators, HttpCode } from '@nestjs/common';
import { ApiHeader, ApiParam, ApiQuery } from '@nestjs/swagger';
import { z } from 'zod';
import { Endpoint } from '../../http/endpoint.decorator.js';
import { START_PROBLEMS } from '../../streams/start-problems.js';
import { runSchema } from './langgraph-resources.js';
import { cancelQuerySchema, listQuerySchema, runRequestSchema } from './run-stream-input.js';

/** The guards of each route of RunStreamController, and its page in the API's description. */

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
  problems: [...START_PROBLEMS, 'INPUT_CLOSED'],
} as const;

/** True if the route names the thread. */
interface RouteScope {
  readonly inThread: boolean;
}

const listParams = ({ inThread }: RouteScope) => (inThread ? [THREAD_ID] : []);

export const StreamRunEndpoint = (scope: RouteScope) =>
  applyDecorators(
    HttpCode(200),
    ...listParams(scope),
    Endpoint({
      ...STARTS,
      summary: scope.inThread
        ? 'Start a run and stream it'
        : 'Start a run in a thread of its own and stream it',
      description:
        'In the modes that the body names: `values`, `updates`, `messages-tuple`, `messages`, `custom`, `tools`.',
      reply: { status: 200, description: 'From `metadata` to `end`.', schema: STREAM },
      streams: true,
      reads: true,
    }),
  );

export const JoinStreamEndpoint = (scope: RouteScope) =>
  applyDecorators(
    ...listParams(scope),
    RUN_ID,
    LAST_EVENT_ID,
    STREAM_MODE,
    Endpoint({
      summary: 'Join the stream of a run (LangGraph)',
      description: 'From its first event, or behind the one that the client has.',
      reply: { status: 200, description: 'What follows, to `end`.', schema: STREAM },
      streams: true,
      reads: true,
      problems: ['NOT_FOUND', 'CURSOR_INVALID'],
    }),
  );

export const CreateRunEndpoint = () =>
  applyDecorators(
    HttpCode(200),
    THREAD_ID,
    Endpoint({
      ...STARTS,
      summary: 'Start a run without streaming it (LangGraph)',
      reply: { status: 200, description: 'The run.', schema: runSchema },
    }),
  );

export const ListRunsEndpoint = () =>
  applyDecorators(
    THREAD_ID,
    Endpoint({
      summary: 'List the runs of a thread, the newest first (LangGraph)',
      reply: { status: 200, description: 'At most 100.', schema: z.array(runSchema) },
      query: listQuerySchema,
      reads: true,
      problems: ['NOT_FOUND'],
    }),
  );

export const GetRunEndpoint = () =>
  applyDecorators(
    THREAD_ID,
    RUN_ID,
    Endpoint({
      summary: 'Get a run (LangGraph)',
      reads: true,
      reply: { status: 200, description: 'The run.', schema: runSchema },
      problems: ['NOT_FOUND'],
    }),
  );

export const CancelRunEndpoint = () =>
  applyDecorators(
    HttpCode(202),
    THREAD_ID,
    RUN_ID,
    Endpoint({
      summary: 'Cancel a run (LangGraph)',
      description: 'With `wait=1` the answer comes when it has ended, or after a few seconds.',
      reply: { status: 202, description: 'It is being stopped.', schema: z.object({}) },
      query: cancelQuerySchema,
      problems: ['NOT_FOUND'],
    }),
  );
