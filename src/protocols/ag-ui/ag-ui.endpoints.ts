import { applyDecorators, HttpCode } from '@nestjs/common';
import { ApiHeader, ApiParam } from '@nestjs/swagger';
import { z } from 'zod';
import { Endpoint } from '../../http/endpoint.decorator.js';
import { START_PROBLEMS } from '../../streams/start-problems.js';
import { runInputSchema } from './ag-ui-input.js';

/** Descriptions of the routes that AG-UI's own clients and CopilotKit's share, each below its own path. */

/** An AG-UI event; https://docs.ag-ui.com has them all. */
const frameSchema = z.looseObject({ type: z.string() }).meta({ id: 'AgUiEvent' });

const stoppedSchema = z
  .object({ stopped: z.boolean().meta({ description: 'False when nothing went on.' }) })
  .meta({ id: 'AgUiStopped' });
export type AgUiStopped = z.output<typeof stoppedSchema>;

export const RunAgentEndpoint = (summary: string) =>
  applyDecorators(
    // Nest answers a POST with 201 otherwise, also a stream.
    HttpCode(200),
    ApiHeader({ name: 'Last-Event-ID', required: false, description: 'Goes on behind this frame.' }),
    Endpoint({
      summary,
      description:
        'AG-UI events. A repeated `runId` joins the run that it started; answers in `resume` get the run that goes on.',
      reply: { status: 200, description: 'The run.', schema: frameSchema },
      accepts: runInputSchema,
      starts: true,
      streams: true,
      reads: true,
      problems: [...START_PROBLEMS, 'INPUT_CLOSED', 'CURSOR_INVALID'],
    }),
  );

export const ConnectEndpoint = (summary: string) =>
  applyDecorators(
    HttpCode(200),
    Endpoint({
      summary,
      description:
        'Its messages, then the run that goes on, to its end. Empty when there is no such conversation.',
      reply: { status: 200, description: 'A snapshot, then what follows.', schema: frameSchema },
      accepts: runInputSchema,
      streams: true,
      reads: true,
    }),
  );

export const StopEndpoint = (summary: string) =>
  applyDecorators(
    HttpCode(200),
    ApiParam({ name: 'threadId', description: 'The conversation.' }),
    Endpoint({
      summary,
      reply: { status: 200, description: 'Whether anything went on.', schema: stoppedSchema },
      problems: ['NOT_FOUND'],
    }),
  );
