import { ConfigurableModuleBuilder, Module } from '@nestjs/common';
import { ApprovalPolicy, DEFAULT_APPROVALS, type ApprovalDefaults } from './approval.policy.js';
import type { McpServerOptions } from './mcp/mcp.options.js';
import { SecurityLog } from '../security/security-log.service.js';
import type { SharedState } from '../shared-state.js';
import { McpPins, type McpPinHints } from './mcp/mcp-pins.js';
import { McpServers } from './mcp/mcp-servers.js';
import { DEFAULT_TOOL_CONCURRENCY, ToolCallSlots, type ToolConcurrency } from './tool-call-slots.js';
import { DEFAULT_TAINT, TaintPolicy, type TaintOptions } from './taint.policy.js';
import { ToolRegistry } from './tool.registry.js';
import { ToolTrackingService } from './tool-tracking.service.js';

export interface ToolsModuleOptions {
  readonly approvals?: Partial<ApprovalDefaults>;
  readonly tainted?: Partial<TaintOptions>;
  readonly mcp?: readonly McpServerOptions[];
  readonly parallelToolCalls?: Partial<ToolConcurrency>;
  /** The store for accepted tools of MCP servers. */
  readonly storage: { readonly state: SharedState; readonly wakeups: McpPinHints };
}

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN: TOOLS_OPTIONS } =
  new ConfigurableModuleBuilder<ToolsModuleOptions>({ moduleName: 'Tools' })
    .setClassMethodName('forRoot')
    .build();

/**
 * The tools of agents, how their calls are made, and which of them wait for a person. Needs the modules of the security events and the
 * switches among its imports. `ToolExplorer` is not here: it belongs to the
 * module that has the host's own tools, by which it knows them from those of another instance.
 */
@Module({
  providers: [
    ToolRegistry,
    ToolTrackingService,
    {
      provide: ApprovalPolicy,
      inject: [TOOLS_OPTIONS],
      useFactory: ({ approvals }: ToolsModuleOptions) =>
        new ApprovalPolicy({ ...DEFAULT_APPROVALS, ...approvals }),
    },
    {
      provide: ToolCallSlots,
      inject: [TOOLS_OPTIONS],
      useFactory: ({ parallelToolCalls }: ToolsModuleOptions) =>
        new ToolCallSlots({ ...DEFAULT_TOOL_CONCURRENCY, ...parallelToolCalls }),
    },
    {
      provide: TaintPolicy,
      inject: [TOOLS_OPTIONS],
      useFactory: ({ tainted }: ToolsModuleOptions) => new TaintPolicy({ ...DEFAULT_TAINT, ...tainted }),
    },
    {
      provide: McpPins,
      inject: [TOOLS_OPTIONS, SecurityLog],
      useFactory: ({ storage }: ToolsModuleOptions, security: SecurityLog) =>
        new McpPins(storage.state, security, storage.wakeups),
    },
    {
      provide: McpServers,
      inject: [TOOLS_OPTIONS, ToolRegistry, McpPins],
      useFactory: ({ mcp = [] }: ToolsModuleOptions, registry: ToolRegistry, pins: McpPins) =>
        new McpServers(mcp, registry, pins),
    },
  ],
  exports: [ToolRegistry, ToolTrackingService, McpServers, McpPins],
})
export class ToolsModule extends ConfigurableModuleClass {}
