import { Controller, Get, UseFilters } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { ApiOpenRoute } from '../../http/api-problems.decorator.js';
import { ProblemFilter } from '../../http/problem.filter.js';
import { describeAnswer } from '../../openapi/describe.js';

const okSchema = z.object({ ok: z.literal(true) }).meta({ id: 'LangGraphOk' });

/** The version of LangGraph's API that is spoken here, as far as the clients can tell. Our own is not told to strangers. */
const API_VERSION = '1.5.1';

const infoSchema = z
  .object({
    version: z.string().meta({ description: "The version of LangGraph's API." }),
    context: z.literal('js'),
    flags: z.object({ assistants: z.boolean(), crons: z.boolean(), langsmith: z.boolean() }),
  })
  .meta({ id: 'LangGraphInfo' });

/** The first requests of LangGraph's clients, without credentials: is the server there, and what can it do? */
@ApiTags('langgraph')
@Controller()
@UseFilters(ProblemFilter)
export class LangGraphInfoController {
  @Get('ok')
  @ApiOperation({ summary: 'Check that the server is there (LangGraph)', security: [] })
  @ApiResponse({ status: 200, description: 'It is.', ...describeAnswer(okSchema) })
  @ApiOpenRoute()
  ok(): z.output<typeof okSchema> {
    return { ok: true };
  }

  @Get('info')
  @ApiOperation({ summary: 'Get what the server can (LangGraph)', security: [] })
  @ApiResponse({
    status: 200,
    description: "Its parts, and the version of LangGraph's API.",
    ...describeAnswer(infoSchema),
  })
  @ApiOpenRoute()
  info(): z.output<typeof infoSchema> {
    return {
      version: API_VERSION,
      context: 'js',
      flags: { assistants: true, crons: false, langsmith: false },
    };
  }
}
