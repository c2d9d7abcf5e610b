import { Controller, Get, HttpStatus, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiServiceUnavailableResponse, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { z } from 'zod';
import { Readiness } from './readiness.js';

const LiveDto = z.object({ status: z.literal('live') }).meta({ id: 'Live' });
const ReadyDto = z.object({ status: z.enum(['ready', 'draining', 'storage-failed']) }).meta({ id: 'Ready' });

/** For balancers and orchestrators; without authentication, and silent about everything but the answer. */
@ApiTags('health')
@Controller('health')
export class HealthController {
  constructor(private readonly readiness: Readiness) {}

  @Get('live')
  @ApiOperation({ summary: 'Whether the process is up; restart it when this fails' })
  @ApiOkResponse({ standardSchema: LiveDto })
  live(): z.infer<typeof LiveDto> {
    return { status: 'live' };
  }

  @Get('ready')
  @ApiOperation({ summary: 'Whether it can take requests; send none while this fails' })
  @ApiOkResponse({ standardSchema: ReadyDto })
  @ApiServiceUnavailableResponse({ standardSchema: ReadyDto })
  async ready(@Res({ passthrough: true }) response: Response): Promise<z.infer<typeof ReadyDto>> {
    const status = await this.readiness.check();
    response.setHeader('Cache-Control', 'no-store');
    response.status(status === 'ready' ? HttpStatus.OK : HttpStatus.SERVICE_UNAVAILABLE);
    return { status };
  }
}
