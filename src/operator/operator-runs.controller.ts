import { Controller, Get, Header, HttpCode, Logger, Param, Post, Query } from '@nestjs/common';
import { ApiParam, ApiTags } from '@nestjs/swagger';
import { CurrentPrincipal } from '../auth/authentication.js';
import { AppError } from '../errors.js';
import { Endpoint } from '../http/endpoint.decorator.js';
import { SchemaPipe } from '../http/validate.js';
import { DrainService } from '../instance/drain.service.js';
import type { Principal } from '../principal.js';
import { withoutWords } from '../events/without-words.js';
import { EventLog } from '../runs/event-log.js';
import { RunOversightService, type Oversight } from '../runs/run-oversight.service.js';
import type { Run } from '../runs/run.js';
import { SpendingService } from '../runs/spending.service.js';
import { SecurityLog } from '../security/security-log.service.js';
import { readRunQuery } from '../streams/run-list.schemas.js';
import { readRunLog, runLogQuerySchema, type RunLogQueryDto } from '../streams/run-log.js';
import {
  operatorSpendingQuerySchema,
  readSpendingQuery,
  spendingSchema,
  type OperatorSpendingQueryDto,
  type SpendingDto,
} from '../streams/spending.schemas.js';
import {
  drainingSchema,
  operatorRunPageSchema,
  operatorRunQuerySchema,
  operatorRunSchema,
  queueSchema,
  toOperatorRunDto,
  type DrainingDto,
  type OperatorRunDto,
  type OperatorRunPageDto,
  type OperatorRunQueryDto,
  type QueueDto,
} from './dto/operator-runs.dto.js';
import { OperatorGuard } from './operator.guard.js';
import { OversightGuard, OversightRoles } from './oversight.guard.js';

const runId = ApiParam({ name: 'runId', description: "The run's id." });

/** For those who run the service: the runs of everybody, and this process. */
@ApiTags('operator')
@Controller()
export class OperatorRunsController {
  private readonly logger = new Logger('Operator');

  constructor(
    private readonly oversight: OversightRoles,
    private readonly runs: RunOversightService,
    private readonly spending: SpendingService,
    private readonly instance: DrainService,
    private readonly security: SecurityLog,
    private readonly log: EventLog,
  ) {}

  @Get('operator/runs')
  @Endpoint({
    summary: 'List runs of everybody',
    description: 'Of all tenants for operators, of your own tenant for its operators. Without what was said.',
    reply: { status: 200, description: 'A page of runs.', schema: operatorRunPageSchema },
    query: operatorRunQuerySchema,
    reads: true,
    guards: [OversightGuard],
    problems: ['FORBIDDEN'],
  })
  async list(
    @CurrentPrincipal() by: Principal,
    @Query(new SchemaPipe(operatorRunQuerySchema)) query: OperatorRunQueryDto,
  ): Promise<OperatorRunPageDto> {
    const oversight = this.oversight.get(by);
    const { filter, page } = readRunQuery(query);
    assertTenant(filter, oversight);
    const { items, nextCursor } = await this.runs.find(oversight, filter, page);
    return { items: items.map(toOperatorRunDto), ...(nextCursor && { nextCursor }) };
  }

  @Get('operator/runs/:runId/log')
  @runId
  @Header('Content-Type', 'application/x-ndjson')
  @Endpoint({
    summary: 'Get the log of a run as a file, without what was said',
    description:
      'As of your own run. Text has dots for its characters; questions to people, state and custom data are left out.',
    reply: { status: 200, description: 'The log, or the part of it after `after`.' },
    query: runLogQuerySchema,
    reads: true,
    guards: [OversightGuard],
    problems: ['FORBIDDEN', 'NOT_FOUND'],
  })
  async runLog(
    @CurrentPrincipal() by: Principal,
    @Param('runId') id: string,
    @Query(new SchemaPipe(runLogQuerySchema)) query: RunLogQueryDto,
  ): Promise<string> {
    const run = await this.runs.get(this.oversight.get(by), id);
    return readRunLog(run, this.log, { ...query, show: withoutWords });
  }

  @Post('operator/runs/:runId/cancel')
  @HttpCode(202)
  @runId
  @Endpoint({
    summary: 'Cancel a run of somebody else',
    reply: { status: 202, description: 'The run, as it stands now.', schema: operatorRunSchema },
    guards: [OversightGuard],
    problems: ['FORBIDDEN', 'NOT_FOUND'],
  })
  async cancel(@CurrentPrincipal() by: Principal, @Param('runId') id: string): Promise<OperatorRunDto> {
    return toDto(await this.runs.cancel(this.oversight.get(by), id));
  }

  @Post('operator/runs/:runId/requeue')
  @HttpCode(202)
  @runId
  @Endpoint({
    summary: 'Take a stuck run from its owner',
    description:
      'The next free instance goes on with it from its last step. A pending run is announced once more; one that has ended stays as it is.',
    reply: { status: 202, description: 'The run, as it stands now.', schema: operatorRunSchema },
    guards: [OversightGuard],
    problems: ['FORBIDDEN', 'NOT_FOUND'],
  })
  async requeue(@CurrentPrincipal() by: Principal, @Param('runId') id: string): Promise<OperatorRunDto> {
    return toDto(await this.runs.requeue(this.oversight.get(by), id));
  }

  @Get('operator/usage')
  @Endpoint({
    summary: 'Sum what runs of everybody have used and cost',
    description:
      'Of all tenants for operators, of your own tenant for its operators. Of runs that have ended, also of deleted threads.',
    reply: { status: 200, description: 'The sums.', schema: spendingSchema },
    query: operatorSpendingQuerySchema,
    reads: true,
    guards: [OversightGuard],
    problems: ['FORBIDDEN'],
  })
  async listSpending(
    @CurrentPrincipal() by: Principal,
    @Query(new SchemaPipe(operatorSpendingQuerySchema)) query: OperatorSpendingQueryDto,
  ): Promise<SpendingDto> {
    const oversight = this.oversight.get(by);
    const asked = readSpendingQuery(query);
    assertTenant(asked, oversight);
    return { currency: this.spending.currency, items: await this.spending.list(oversight, asked) };
  }

  @Get('operator/queue')
  @Endpoint({
    summary: 'Count the runs that wait and work, and describe the instance that replies',
    reply: { status: 200, description: 'Of all tenants.', schema: queueSchema },
    guards: [OperatorGuard],
    problems: ['FORBIDDEN'],
  })
  async queue(): Promise<QueueDto> {
    return { ...(await this.runs.countUnended()), instance: this.instance.state };
  }

  @Post('operator/drain')
  @HttpCode(202)
  @Endpoint({
    summary: 'Drain the instance that replies',
    description:
      'It is no longer ready, takes on no runs, gives those in hand back, and ends its streams. It stays so until it is restarted: send this to the ' +
      'address of one instance, and not to the balancer.',
    reply: { status: 202, description: 'It has begun.', schema: drainingSchema },
    guards: [OperatorGuard],
    problems: ['FORBIDDEN'],
  })
  drain(@CurrentPrincipal() by: Principal): DrainingDto {
    this.security.record({ type: 'instance-drained', principal: by, subject: this.instance.state.name });
    void this.instance.drain().catch((error: unknown) => {
      this.logger.error({ err: error }, 'The drain that an operator asked for failed.');
    });
    return { instance: this.instance.state };
  }
}

/** @throws AppError REQUEST_INVALID for a user of no tenant */
function assertTenant(
  asked: { readonly tenant?: string; readonly userId?: string },
  { tenant }: Oversight,
): void {
  if (asked.userId !== undefined && asked.tenant === undefined && tenant === undefined)
    throw new AppError('REQUEST_INVALID', 'A user is named together with the tenant: send `tenant` as well.');
}

function toDto(run: Run): OperatorRunDto {
  return toOperatorRunDto({ ...run, title: '' });
}
