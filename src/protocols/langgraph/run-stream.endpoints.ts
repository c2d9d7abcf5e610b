import { applyDecorators, HttpCode } from '@nestjs/common';
import { ApiHeader, ApiParam, ApiQuery } from '@nestjs/swagger';
import { z } from 'zod';
import { Endpoint } from '../../http/endpoint.decorator.js';
import { START_PROBLEMS } from '../../streams/start-problems.js';
import { OpenStreamsGuard } from '../../throttling/open-streams.guard.js';
import { LangGraphEndpoint } from './langgraph-endpoint.decorator.js';
import { runSchema } from './langgraph-resources.js';
import {
  batchSchema,
  cancelQuerySchema,
  joinRunQuerySchema,
  listQuerySchema,
  runRequestSchema,
} from './run-stream-input.js';

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
const OUTCOME = z.looseObject({}).meta({ id: 'LangGraphRunOutcome' });
const STARTS = {
  accepts: runRequestSchema,
  starts: true,
  problems: [...START_PROBLEMS, 'INPUT_CLOSED', 'TOO_MANY_DELAYED'],
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
    LangGraphEndpoint({
      ...STARTS,
      summary: scope.inThread
        ? 'Start a run and stream it'
        : 'Start a run in a thread of its own and stream it',
      description:
        'In the modes that the body names. `tasks`, `checkpoints` and `debug` make the run keep each of its states.',
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
    LangGraphEndpoint({
      summary: 'Join the stream of a run (LangGraph)',
      description:
        'From its first event, or behind the one that the client has. For a run that the caller does not have: one `error`, with the code `NOT_FOUND`.',
      reply: { status: 200, description: 'What follows, to `end`.', schema: STREAM },
      streams: true,
      reads: true,
      problems: ['CURSOR_INVALID'],
    }),
  );

export const CreateRunEndpoint = (scope: RouteScope) =>
  applyDecorators(
    HttpCode(200),
    ...listParams(scope),
    LangGraphEndpoint({
      ...STARTS,
      summary: scope.inThread
        ? 'Start a run without streaming it (LangGraph)'
        : 'Start a run in a thread of its own without streaming it (LangGraph)',
      reply: { status: 200, description: 'The run.', schema: runSchema },
    }),
  );

/** Its refusals are problem documents, which name the runs that go on. */
export const StartBatchEndpoint = () =>
  applyDecorators(
    HttpCode(200),
    Endpoint({
      ...STARTS,
      accepts: batchSchema,
      summary: 'Start several runs, each in a thread of its own (LangGraph)',
      description: 'If one is refused, those before it go on: the problem names them in `started`.',
      reply: { status: 200, description: 'The runs.', schema: z.array(runSchema) },
    }),
  );

/** A client that waits keeps a connection, as one that streams does. */
const WAITS = {
  reply: {
    status: 200,
    description: 'The last state, or `__error__` of a run that failed.',
    schema: OUTCOME,
  },
  guards: [OpenStreamsGuard],
} as const;

export const WaitForRunEndpoint = (scope: RouteScope) =>
  applyDecorators(
    HttpCode(200),
    ...listParams(scope),
    LangGraphEndpoint({
      ...STARTS,
      ...WAITS,
      problems: [...STARTS.problems, 'TOO_MANY_STREAMS'],
      summary: scope.inThread
        ? 'Start a run and wait for its end (LangGraph)'
        : 'Start a run in a thread of its own and wait for its end (LangGraph)',
    }),
  );

export const JoinRunEndpoint = () =>
  applyDecorators(
    THREAD_ID,
    RUN_ID,
    LangGraphEndpoint({
      ...WAITS,
      summary: 'Wait for the end of a run (LangGraph)',
      query: joinRunQuerySchema,
      problems: ['NOT_FOUND', 'TOO_MANY_STREAMS'],
    }),
  );

export const ListRunsEndpoint = () =>
  applyDecorators(
    THREAD_ID,
    LangGraphEndpoint({
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
    LangGraphEndpoint({
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
    LangGraphEndpoint({
      summary: 'Cancel a run (LangGraph)',
      description: 'With `wait=1` the answer comes when it has ended, or after a few seconds.',
      reply: { status: 202, description: 'It is being stopped.', schema: z.object({}) },
      query: cancelQuerySchema,
      problems: ['NOT_FOUND'],
    }),
  );
