import { Module, VERSION_NEUTRAL, type DynamicModule, type Provider } from '@nestjs/common';
import { DiscoveryModule, ModulesContainer } from '@nestjs/core';
import { AgentsModule } from '../agents/agents.module.js';
import { AuthModule } from '../auth/auth.module.js';
import { findKnownRoles } from '../auth/known-roles.js';
import { SessionService } from '../auth/session.service.js';
import { Sessions } from '../auth/sessions.js';
import { AppError } from '../errors.js';
import { HttpModule } from '../http/http.module.js';
import { InstanceModule } from '../instance/instance.module.js';
import { nameInstance, placeController, type Placement } from '../http/place-controller.js';
import { OperatorModule, type AllOperatorRoles } from '../operator/operator.module.js';
import type { Owner } from '../principal.js';
import { createProtocolModules, DEFAULT_PREFIX } from '../protocols/protocols.js';
import { DEFAULT_WORKER_OPTIONS } from '../runs/run.worker.js';
import { RunsModule } from '../runs/runs.module.js';
import { SecurityModule } from '../security/security.module.js';
import { SignInModule } from '../sign-in/sign-in.module.js';
import { StorageModule } from '../storage/storage.module.js';
import { Storage } from '../storage/storage.js';
import { StreamsModule } from '../streams/streams.module.js';
import { SwitchesModule } from '../switches/switches.module.js';
import { ThrottlingModule } from '../throttling/throttling.module.js';
import { TelemetryModule } from '../telemetry/telemetry.module.js';
import { toHostMatcher } from '../tools/library/http-fetch/host-pattern.js';
import { ToolExplorer } from '../tools/tool.explorer.js';
import { ToolsModule } from '../tools/tools.module.js';
import { AgentSetup } from './agent-setup.service.js';
import { ChatController } from './chat.controller.js';
import { ChatHealthIndicator } from './chat-health.indicator.js';
import { ChatLifecycle } from './chat-lifecycle.js';
import { validateChatOptions } from './chat-options.validation.js';
import {
  ASYNC_OPTIONS_TYPE,
  CHAT_OPTIONS,
  DEFAULT_DRAIN_MS,
  ConfigurableChatModule,
  OPTIONS_TYPE,
  type ChatModuleExtras,
  type ChatModuleOptions,
} from './chat.options.js';
import { FeedbackController } from './feedback.controller.js';
import { MessagesController } from './messages.controller.js';
import { FilesController } from './files.controller.js';
import { ModuleConflicts, type ModulePlaces } from './module-conflicts.js';
import { RunReaders } from './run-readers.service.js';
import { ThreadsController } from './threads.controller.js';

const DEFAULT_PATH = 'api/chat';

/**
 * Agents that can be asked over HTTP and watched live. Registers nothing global: guards, filters and interceptors are bound
 * to its own routes.
 */
@Module({})
export class ChatModule extends ConfigurableChatModule {
  static override forRoot(options: typeof OPTIONS_TYPE): DynamicModule {
    return compose(super.forRoot(options), options);
  }

  static override forRootAsync(options: typeof ASYNC_OPTIONS_TYPE): DynamicModule {
    return compose(super.forRootAsync(options), options);
  }
}

/** The options, where the parts of the module find them. */
@Module({})
class ChatOptionsModule {}

/** The options before anybody has looked at them. */
const GIVEN_OPTIONS = Symbol('GIVEN_OPTIONS');

function passThrough(provider: Provider): Provider {
  return typeof provider === 'object' && provider.provide === CHAT_OPTIONS
    ? { ...provider, provide: GIVEN_OPTIONS }
    : provider;
}

/** Everything in the module needs the options, so this is where unusable ones are refused. */
function validated(options: ChatModuleOptions): ChatModuleOptions {
  const errors = validateChatOptions(options);
  if (errors.length > 0) throw new AppError('CONFIG_INVALID', errors.join('\n'));
  return options;
}

function compose(
  { imports = [], providers = [] }: DynamicModule,
  {
    path = DEFAULT_PATH,
    sessionPath = path !== false && toSessionPath(path),
    protocols,
    tools = [],
    version = VERSION_NEUTRAL,
    apiSecurity: security,
  }: ChatModuleExtras,
): DynamicModule {
  const placed: Omit<Placement, 'instance'> = { version, security };
  const placement = {
    ...placed,
    instance: path === false || path === DEFAULT_PATH ? '' : nameInstance(path),
  };
  const options: DynamicModule = {
    module: ChatOptionsModule,
    imports,
    providers: [
      ...providers.map(passThrough),
      { provide: CHAT_OPTIONS, inject: [GIVEN_OPTIONS], useFactory: validated },
    ],
    exports: [CHAT_OPTIONS],
  };
  const parts = partsWith(options, path);
  const prefix = protocols && path !== false && (protocols.prefix ?? DEFAULT_PREFIX);
  const places: ModulePlaces = {
    version,
    paths: Object.entries({
      path,
      sessionPath: path !== false && sessionPath,
      'protocols.prefix': prefix,
    }).flatMap(([option, at]) => (at === false || at === undefined ? [] : [{ option, path: at }])),
  };
  return {
    module: ChatModule,
    imports: [
      options,
      DiscoveryModule,
      ...Object.values(parts),
      ...(prefix ? createProtocolModules(Object.values(parts), prefix, placed) : []),
      ...(path === false
        ? []
        : createSideModules([options, ...Object.values(parts)], { path, sessionPath, placement })),
    ],
    controllers:
      path === false
        ? []
        : [ChatController, MessagesController, FeedbackController, ThreadsController, FilesController].map(
            (each) => placeController(path, each, placement),
          ),
    providers: [
      RunReaders,
      ToolExplorer,
      ...tools,
      AgentSetup,
      ChatLifecycle,
      ChatHealthIndicator,
      {
        provide: ModuleConflicts,
        inject: [ModulesContainer, Storage],
        useFactory: (modules: ModulesContainer, storage: Storage) =>
          new ModuleConflicts(modules, places, storage),
      },
      { provide: Sessions, useExisting: SessionService },
    ],
    exports: [
      parts.storage,
      parts.switches,
      parts.tools,
      parts.agents,
      parts.runs,
      Sessions,
      parts.instance,
      ChatHealthIndicator,
    ],
  };
}

/** The modules that this one is made of. Each reads its share of the options. */
function partsWith(options: DynamicModule, path: string | false) {
  const security = SecurityModule.withListener({
    imports: [options],
    inject: [CHAT_OPTIONS],
    useFactory: ({ hooks }: ChatModuleOptions) => hooks?.onSecurityEvent?.bind(hooks),
  });
  const from = <T>(select: (options: ChatModuleOptions) => T) => ({
    imports: [options, security],
    inject: [CHAT_OPTIONS],
    useFactory: select,
  });
  const all = from((given) => given);
  const telemetry = TelemetryModule.forRootAsync(
    from(({ telemetry: { propagateTo = [], ...given } = {} }) => ({
      ...given,
      mayReceiveTrace: toHostMatcher(propagateTo),
    })),
  );
  const storage = StorageModule.forRootAsync(all);
  const switches = SwitchesModule.forRootAsync({ ...all, imports: [options, security] });
  const tools = ToolsModule.forRootAsync({ ...all, imports: [options, security, switches] });
  const agents = AgentsModule.forRootAsync({
    imports: [options, storage],
    inject: [CHAT_OPTIONS, Storage],
    useFactory: ({ store }: ChatModuleOptions, { items }: Storage) => ({ ...store, items }),
  });
  const throttling = ThrottlingModule.forRootAsync(
    from(({ throttling: limits, storage: { counters } }) => ({ ...limits, ...(counters && { counters }) })),
  );
  const runs = RunsModule.forRootAsync({
    ...from((given) => ({
      ...given,
      maxRunsPerPrincipal: limitRunsPerPrincipal(given),
      findRoles: [
        (owner: Owner) => given.hooks?.findRoles?.(owner),
        (owner: Owner) => findKnownRoles(given.auth, owner),
      ],
    })),
    imports: [options, security, storage, switches, tools, agents, throttling, telemetry],
  });
  const http = HttpModule.forRootAsync({ ...all, imports: [options, switches, telemetry] });
  return {
    security,
    switches,
    telemetry,
    auth: AuthModule.forRootAsync(
      from(({ auth, storage, brand }) => ({ auth, state: storage.state, brand })),
    ),
    throttling,
    storage,
    tools,
    agents,
    runs,
    http,
    instance: InstanceModule.with([options, storage, runs, http], {
      inject: [CHAT_OPTIONS],
      useFactory: ({ drainMs = DEFAULT_DRAIN_MS }: ChatModuleOptions) => drainMs,
    }),
    streams: StreamsModule.forRoot([options, storage, telemetry], {
      inject: [CHAT_OPTIONS],
      useFactory: ({ files }: ChatModuleOptions) =>
        files?.url ?? `/${path === false ? DEFAULT_PATH : path}/files`,
    }),
  };
}

/** Returns the limit of active runs for each principal. Without authentication all callers are one principal, and may take all slots. */
function limitRunsPerPrincipal({
  auth,
  maxConcurrentRuns = DEFAULT_WORKER_OPTIONS.maxConcurrentRuns,
  maxRunsPerPrincipal = auth.kind === 'local' ? undefined : Math.ceil(maxConcurrentRuns / 2),
}: ChatModuleOptions): number | undefined {
  return maxRunsPerPrincipal;
}

/** Makes the modules whose routes stand beside those of the chat. */
function createSideModules(
  imports: readonly DynamicModule[],
  {
    path,
    sessionPath,
    placement,
  }: { readonly path: string; readonly sessionPath: string | false; readonly placement: Placement },
): DynamicModule[] {
  return [
    OperatorModule.at(path, imports, { roles: OPERATOR_ROLES, placement }),
    ...(sessionPath === false ? [] : [SignInModule.at(sessionPath, imports, placement)]),
  ];
}

const OPERATOR_ROLES: AllOperatorRoles = {
  operators: {
    inject: [CHAT_OPTIONS],
    useFactory: ({ auth, operatorRoles }: ChatModuleOptions) =>
      operatorRoles ?? (auth.kind === 'credentials' ? auth.operatorRoles : undefined) ?? [],
  },
  tenantOperators: {
    inject: [CHAT_OPTIONS],
    useFactory: ({ tenantOperatorRoles = [] }: ChatModuleOptions) => tenantOperatorRoles,
  },
};

/** Beside the chat, not below it: `api/chat` has its sign-in at `api/auth/session`. */
function toSessionPath(path: string): string {
  return path.replace(/[^/]+$/, 'auth/session');
}
