import { applyDecorators, UseFilters } from '@nestjs/common';
import { ApiResponse } from '@nestjs/swagger';
import { describeCodes } from '../../http/api-problems.decorator.js';
import { Endpoint, type EndpointOptions } from '../../http/endpoint.decorator.js';
import { LangGraphFilter, PROBLEM_CODE, TEXT_STATUSES } from './langgraph.filter.js';

/** {@link Endpoint} of a route that refuses as LangGraph's server does. */
export function LangGraphEndpoint(options: EndpointOptions): MethodDecorator {
  const { problems = [] } = options;
  const texts = describeCodes(problems).filter(({ status }) => TEXT_STATUSES.includes(status));
  return applyDecorators(
    Endpoint(options),
    UseFilters(LangGraphFilter),
    ...texts.map(({ status, description }) => ApiText(status, description)),
  );
}

/** Describes a refusal whose body is a sentence. */
export function ApiText(status: number, description: string): MethodDecorator {
  return ApiResponse({
    status,
    description,
    headers: { [PROBLEM_CODE]: { description: 'Stable; switch on this.', schema: { type: 'string' } } },
    content: { 'text/plain': { schema: { type: 'string' } } },
  });
}
