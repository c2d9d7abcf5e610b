import { Body, Controller, Get, HttpCode, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { AgentRegistry } from '../agents/agent.registry.js';
import { CurrentPrincipal } from '../auth/authentication.js';
import { AppError } from '../errors.js';
import { Endpoint } from '../http/endpoint.decorator.js';
import { SchemaPipe } from '../http/validate.js';
import type { Principal } from '../principal.js';
import type { SwitchedOff, SwitchTarget } from '../switches/switch.js';
import { SwitchService } from '../switches/switch.service.js';
import { McpPins } from '../tools/mcp/mcp-pins.js';
import { ToolRegistry } from '../tools/tool.registry.js';
import {
  acceptMcpToolSchema,
  mcpToolsSchema,
  switchedOffListSchema,
  switchedOffSchema,
  switchSchema,
  type AcceptMcpToolDto,
  type McpToolsDto,
  type SwitchDto,
  type SwitchedOffDto,
  type SwitchedOffListDto,
} from './dto/operator.dto.js';
import { OperatorGuard } from './operator.guard.js';

const OPERATORS = { guards: [OperatorGuard], problems: ['FORBIDDEN'] } as const;

/** For those who run the service: switches that stop an agent, a tool, a user or a tenant at once, and the tools of MCP servers. */
@ApiTags('operator')
@Controller()
export class OperatorController {
  constructor(
    private readonly switches: SwitchService,
    private readonly agents: AgentRegistry,
    private readonly tools: ToolRegistry,
    private readonly pins: McpPins,
  ) {}

  @Get('operator/switches')
  @Endpoint({
    summary: 'List what is switched off',
    reply: { status: 200, description: 'All of it.', schema: switchedOffListSchema },
    ...OPERATORS,
  })
  list(): SwitchedOffListDto {
    return { items: this.switches.list.map((each) => this.toDto(each)) };
  }

  @Post('operator/switches/off')
  @HttpCode(200)
  @Endpoint({
    summary: 'Switch off an agent, a tool, a user or a tenant',
    description:
      'Nothing of it begins any more, on any instance; its runs end `failed` with `SWITCHED_OFF`, and a caller is refused and cut. ' +
      'Lasts until it is switched on.',
    accepts: switchSchema,
    reply: { status: 200, description: 'It is off.', schema: switchedOffSchema },
    ...OPERATORS,
  })
  async off(
    @CurrentPrincipal() by: Principal,
    @Body(new SchemaPipe(switchSchema)) { target, reason }: SwitchDto,
  ): Promise<SwitchedOffDto> {
    if (includes(target, by)) {
      throw new AppError('REQUEST_INVALID', 'This would switch yourself off, and with you the way back.');
    }
    return this.toDto(await this.switches.off(target, { by, ...(reason !== undefined && { reason }) }));
  }

  @Post('operator/switches/on')
  @HttpCode(204)
  @Endpoint({
    summary: 'Switch on again what was switched off',
    accepts: switchSchema,
    reply: { status: 204, description: 'It is on.' },
    ...OPERATORS,
  })
  on(
    @CurrentPrincipal() by: Principal,
    @Body(new SchemaPipe(switchSchema)) { target, reason }: SwitchDto,
  ): Promise<void> {
    return this.switches.on(target, { by, ...(reason !== undefined && { reason }) });
  }

  @Get('operator/mcp-tools')
  @Endpoint({
    summary: 'List the accepted and the refused tools of MCP servers',
    reply: { status: 200, description: 'All of them.', schema: mcpToolsSchema },
    ...OPERATORS,
  })
  async listMcpTools(): Promise<McpToolsDto> {
    const { pinned, refused } = await this.pins.list();
    return {
      pinned: pinned.map(({ by, ...pin }) => ({ ...pin, ...(by && { by: { ...by } }) })),
      refused: [...refused],
    };
  }

  @Post('operator/mcp-tools/accept')
  @HttpCode(204)
  @Endpoint({
    summary: "Accept the current version of an MCP server's tool",
    description: 'Name the hash that you have looked at; when it has changed since, nothing is accepted.',
    accepts: acceptMcpToolSchema,
    reply: { status: 204, description: 'Agents get it, on every instance.' },
    guards: [OperatorGuard],
    problems: ['FORBIDDEN', 'NOT_FOUND'],
  })
  async acceptMcpTool(
    @CurrentPrincipal() by: Principal,
    @Body(new SchemaPipe(acceptMcpToolSchema)) accepted: AcceptMcpToolDto,
  ): Promise<void> {
    await this.pins.accept(accepted, by);
  }

  private toDto({ target, at, by, reason }: SwitchedOff): SwitchedOffDto {
    return {
      target,
      at,
      ...(by && { by: { ...by } }),
      ...(reason !== undefined && { reason }),
      ...((target.kind === 'agent' || target.kind === 'tool') && { isKnown: this.isKnown(target) }),
    };
  }

  private isKnown({ kind, name }: Extract<SwitchTarget, { readonly name: string }>): boolean {
    return (kind === 'agent' ? this.agents.get(name) : this.tools.get(name)) !== undefined;
  }
}

function includes(target: SwitchTarget, { tenant, userId }: Principal): boolean {
  if (target.kind === 'tenant') return target.tenant === tenant;
  return target.kind === 'user' && target.tenant === tenant && target.userId === userId;
}
