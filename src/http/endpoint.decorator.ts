import {
  applyDecorators,
  Header,
  UseFilters,
  UseGuards,
  UseInterceptors,
  type CanActivate,
  type Type,
} from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiOperation, ApiProduces, ApiQuery, ApiResponse } from '@nestjs/swagger';
import type { z } from 'zod';
import { AuthGuard } from '../auth/auth.guard.js';
import type { ErrorCode } from '../errors.js';
import { describeAnswer, describeBody, describeQuery } from '../openapi/describe.js';
import { OpenStreamsGuard } from '../throttling/open-streams.guard.js';
import { ReadsGuard, StreamReadsGuard } from '../throttling/reads.guard.js';
import { RunStartThrottlerGuard } from '../throttling/run-start-throttler.guard.js';
import { BodyGuard } from './body.guard.js';
import { CloseGuard } from './close.guard.js';
import { NestStreamGuard } from './nest-stream.guard.js';
import { OwnRoute } from './own-route.js';
import { ApiProblems } from './api-problems.decorator.js';
import { ProblemFilter } from './problem.filter.js';
import { SwitchedOffGuard } from './switched-off.guard.js';
import { SseInterceptor } from './sse.interceptor.js';

export interface EndpointOptions {
  readonly summary: string;
  readonly description?: string;
  /** The successful answer: its status, and the schema of its body; none for an empty one. Of a stream: of the `data` of each frame. */
  readonly reply: { readonly status: number; readonly description: string; readonly schema?: z.ZodType };
  /** The body that it takes; the guards check it. */
  readonly accepts?: z.ZodType;
  /** Its body is bytes of any type, which the handler reads with `BodyBytes`. */
  readonly takesBytes?: boolean;
  /** The query that it takes. */
  readonly query?: z.ZodObject;
  /** It starts a run: counted against the principal's budget. */
  readonly starts?: boolean;
  /** It may reply with an event stream: counted against the principal's open streams. */
  readonly streams?: boolean;
  /** Its handler is under `@Sse`, and returns its stream as an Observable of frames. */
  readonly sse?: boolean;
  /** It reads a log or a thread: it waits for its principal's turn. */
  readonly reads?: boolean;
  /** Further guards, after authentication and throttling, in this order. */
  readonly guards?: readonly Type<CanActivate>[];
  /** The problems it answers with, beside those that every endpoint has. */
  readonly problems?: readonly ErrorCode[];
}

const BYTES = { schema: { type: 'string', format: 'binary' } } as const;

/**
 * Everything that a route of ours needs around its handler, bound to this route and to nothing else of the host: who asks,
 * how often, validation, problems as RFC 9457, frames in batches, and its page in the API's description.
 */
export function Endpoint(options: EndpointOptions): MethodDecorator {
  const {
    summary,
    description,
    reply,
    accepts,
    takesBytes,
    query,
    starts,
    streams,
    sse,
    reads,
    guards = [],
    problems = [],
  } = options;
  const known: ErrorCode[] = [
    'REQUEST_INVALID',
    'UNAUTHENTICATED',
    'SWITCHED_OFF',
    // Of starts and of reads, and on every route of repeated wrong credentials.
    'RATE_LIMITED',
    ...(streams ? ['TOO_MANY_STREAMS' as const] : []),
    ...problems,
  ];
  return applyDecorators(
    OwnRoute(),
    UseGuards(
      CloseGuard,
      AuthGuard,
      SwitchedOffGuard,
      ...(takesBytes ? [] : [BodyGuard]),
      ...(starts ? [RunStartThrottlerGuard] : []),
      ...(streams ? [OpenStreamsGuard] : []),
      ...(sse ? [NestStreamGuard] : []),
      ...(reads ? [streams ? StreamReadsGuard : ReadsGuard] : []),
      ...guards,
    ),
    UseFilters(ProblemFilter),
    // Proxies must not keep a conversation; a stream says so itself.
    ...(streams ? [] : [Header('Cache-Control', 'no-store')]),
    ...(streams ? [ApiProduces('text/event-stream')] : []),
    ...(sse ? [UseInterceptors(SseInterceptor)] : []),
    ...(accepts ? [ApiBody(describeBody(accepts))] : []),
    ...(takesBytes ? [ApiConsumes('application/octet-stream'), ApiBody(BYTES)] : []),
    ...(query ? describeQuery(query).map((parameter) => ApiQuery(parameter)) : []),
    ApiOperation({ summary, ...(description && { description }) }),
    ApiResponse({
      status: reply.status,
      description: reply.description,
      ...(reply.schema && describeAnswer(reply.schema)),
    }),
    ApiProblems(known),
  );
}
