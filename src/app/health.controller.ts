import { Controller, Get, HttpStatus, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiServiceUnavailableResponse, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { z } from 'zod';
import { ApiOpenRoute } from '../http/api-problems.decorator.js';
import { describeAnswer } from '../openapi/describe.js';
import { Readiness } from '../instance/readiness.js';

const LiveDto = z.object({ status: z.enum(['live', 'storage-broken']) }).meta({ id: 'Liveness' });
const ReadyDto = z
  .object({ status: z.enum(['ready', 'draining', 'storage-failed']) })
  .meta({ id: 'Readiness' });

/** For balancers and orchestrators; without authentication, and silent about everything but the answer. */
@ApiTags('health')
@Controller('health')
export class HealthController {
  constructor(private readonly readiness: Readiness) {}

  @Get('live')
  @ApiOperation({ summary: 'Check that the process is alive; restart it if this fails' })
  @ApiOpenRoute()
  @ApiOkResponse(describeAnswer(LiveDto))
  @ApiServiceUnavailableResponse(describeAnswer(LiveDto))
  live(@Res({ passthrough: true }) response: Response): z.infer<typeof LiveDto> {
    const { isAlive } = this.readiness;
    response.setHeader('Cache-Control', 'no-store');
    response.status(isAlive ? HttpStatus.OK : HttpStatus.SERVICE_UNAVAILABLE);
    return { status: isAlive ? 'live' : 'storage-broken' };
  }

  @Get('ready')
  @ApiOperation({ summary: 'Check that the process is ready; send it no requests while this fails' })
  @ApiOpenRoute()
  @ApiOkResponse(describeAnswer(ReadyDto))
  @ApiServiceUnavailableResponse(describeAnswer(ReadyDto))
  async ready(@Res({ passthrough: true }) response: Response): Promise<z.infer<typeof ReadyDto>> {
    const status = await this.readiness.check();
    response.setHeader('Cache-Control', 'no-store');
    response.status(status === 'ready' ? HttpStatus.OK : HttpStatus.SERVICE_UNAVAILABLE);
    return { status };
  }
}
