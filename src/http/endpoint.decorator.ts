import {
  applyDecorators,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
  type CanActivate,
  type Type,
} from '@nestjs/common';
import {
  ApiBody,
  ApiOperation,
  ApiProduces,
  ApiResponse,
  type ApiBodyOptions,
  type ApiResponseOptions,
} from '@nestjs/swagger';
import { z } from 'zod';
import { AuthGuard } from '../auth/auth.guard.js';
import { ERROR_CODES, type ErrorCode } from '../errors.js';
import { OpenStreamsGuard } from '../throttling/open-streams.guard.js';
import { RunStartThrottlerGuard } from '../throttling/run-start.throttler.guard.js';
import { NestStreamGuard } from './nest.stream.js';
import { OwnRoute } from './own-route.js';
import { statusOf } from './problem.js';
import { ProblemFilter } from './problem.filter.js';
import { SseInterceptor } from './sse.interceptor.js';
import { SchemaPipe } from './validate.js';

type SchemaObject = Extract<ApiBodyOptions, { schema: unknown }>['schema'];

export interface EndpointOptions {
  readonly summary: string;
  readonly description?: string;
  /** The successful answer: its status, and the schema of its body; none for an empty one. Of a stream: of each frame. */
  readonly answers: { readonly status: number; readonly description: string; readonly schema?: z.ZodType };
  /** The body that it takes; the guards check it. */
  readonly accepts?: z.ZodType;
  /** It starts a run: counted against the principal's budget. */
  readonly starts?: boolean;
  /** It answers with an event stream: counted against the principal's open streams. */
  readonly streams?: boolean;
  /** Further guards, after authentication and throttling, in this order. */
  readonly guards?: readonly Type<CanActivate>[];
  /** The problems it answers with, beside those that every endpoint has. */
  readonly problems?: readonly ErrorCode[];
}

/**
 * Everything that a route of ours needs around its handler, bound to this route and to nothing else of the host: who asks,
 * how often, validation, problems as RFC 9457, frames in batches, and its page in the API's description.
 */
export function Endpoint(options: EndpointOptions): MethodDecorator {
  const { summary, description, answers, accepts, starts, streams, guards = [], problems = [] } = options;
  const known: ErrorCode[] = [
    'REQUEST_INVALID',
    'UNAUTHENTICATED',
    ...(starts ? ['RATE_LIMITED' as const] : []),
    ...(streams ? ['TOO_MANY_STREAMS' as const] : []),
    ...problems,
  ];
  return applyDecorators(
    OwnRoute(),
    UseGuards(
      AuthGuard,
      ...(starts ? [RunStartThrottlerGuard] : []),
      ...(streams ? [OpenStreamsGuard, NestStreamGuard] : []),
      ...guards,
    ),
    UseFilters(ProblemFilter),
    UsePipes(SchemaPipe),
    ...(streams ? [UseInterceptors(SseInterceptor), ApiProduces('text/event-stream')] : []),
    ...(accepts ? [ApiBody({ schema: bodySchema(accepts) })] : []),
    ApiOperation({ summary, ...(description && { description }) }),
    ApiResponse({
      status: answers.status,
      description: answers.description,
      ...(answers.schema && { standardSchema: answers.schema }),
    }),
    ...problemResponses(known).map((response) => ApiResponse(response)),
  );
}

function bodySchema(accepts: z.ZodType): SchemaObject {
  return z.toJSONSchema(accepts, { target: 'openapi-3.0', io: 'input' }) as SchemaObject;
}

/** One response for each status; codes that share a status share it. */
function problemResponses(codes: readonly ErrorCode[]): ApiResponseOptions[] {
  const byStatus = Map.groupBy(new Set(codes), statusOf);
  return [...byStatus].map(([status, group]) => ({
    status,
    description: group.map((code) => `\`${code}\`: ${ERROR_CODES[code]}`).join('\n\n'),
    content: { 'application/problem+json': { schema: PROBLEM } },
  }));
}

/** RFC 9457, section 3. */
const PROBLEM = {
  type: 'object',
  required: ['type', 'title', 'status', 'code', 'detail'],
  properties: {
    type: { type: 'string', format: 'uri' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string', description: 'Stable; switch on this.' },
    detail: { type: 'string' },
  },
  additionalProperties: true,
};
