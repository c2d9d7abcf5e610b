import { applyDecorators } from '@nestjs/common';
import { ApiResponse, type ApiResponseOptions } from '@nestjs/swagger';
import { ERROR_CODES, type ErrorCode } from '../errors.js';
import { getStatus } from './problem.js';

/** Describes the problems that a route, or each route of a controller, answers with. */
export function ApiProblems(codes: readonly ErrorCode[]): ClassDecorator & MethodDecorator {
  return applyDecorators(...problemResponses(codes).map((response) => ApiResponse(response)));
}

/** Describes a route that asks nothing of its caller: only a request that is none is refused. */
export function ApiOpenRoute(): MethodDecorator {
  return ApiResponse({ status: '4XX', description: 'The request cannot be read.', content: PROBLEM_CONTENT });
}

function problemResponses(codes: readonly ErrorCode[]): ApiResponseOptions[] {
  return describeCodes(codes).map((response) => ({ ...response, content: PROBLEM_CONTENT }));
}

/** Returns one description for each status; codes that share a status share it. */
export function describeCodes(
  codes: readonly ErrorCode[],
): readonly { readonly status: number; readonly description: string }[] {
  const byStatus = Map.groupBy(new Set(codes), getStatus);
  return [...byStatus].map(([status, group]) => ({
    status,
    description: group.map((code) => `\`${code}\`: ${ERROR_CODES[code]}`).join('\n\n'),
  }));
}

/** RFC 9457, section 3. */
const PROBLEM_CONTENT = {
  'application/problem+json': {
    schema: {
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
    },
  },
};
