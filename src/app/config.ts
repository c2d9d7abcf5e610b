import type { StoreOptions } from '../agents/agent-store.js';
import type { ChatAgentOptions } from '../agents/langgraph/chat.agent.js';
import type { AgentReference } from '../agents/langgraph/graph.loader.js';
import type { LangGraphAgentOptions } from '../agents/langgraph/langgraph-agent.options.js';
import type { ModelOptions } from '../agents/langgraph/model.factory.js';
import type { ApprovalSettings, ChatModuleOptions } from '../chat/chat.options.js';
import type { CredentialsAuthOptions, LocalAuthOptions } from '../auth/auth.options.js';
import { AppError } from '../errors.js';
import { nameOptionsBy } from '../option-names.js';
import type { RetentionOptions } from '../runs/retention.service.js';
import type { RunLimits } from '../runs/run-limits.js';
import type { PostgresStorageOptions } from '../storage/postgres/postgres-storage.options.js';
import type { SqliteStorageOptions } from '../storage/sqlite/sqlite.storage.js';
import type { S3ObjectStoreOptions } from '../storage/s3/s3-object-store.options.js';
import type { ThrottlingLimits } from '../throttling/throttling.options.js';
import type { ToolLibraryOptions } from '../tools/library/tool-library.options.js';
import type { TaintOptions } from '../tools/taint.policy.js';
import type { ToolConcurrency } from '../tools/tool-call-slots.js';
import { InvalidSettingError, items } from './settings/formats.js';
import { joinSettings } from './settings/join-settings.js';
import { SETTINGS_OF_OPTIONS } from './settings/option-names.js';
import { RULES, warningsAbout } from './settings/rules.js';
import { describeSetting, SETTING_NAMES, type SettingName, type Settings } from './settings/settings.js';
import { findTypos } from './settings/typos.js';
import type { ProjectStore } from './langgraph-store.js';
import type { Tls } from './tls.js';

/** The settings, in the shape of the options that they are. Times are milliseconds, sizes are bytes, paths are absolute. */
export interface Config {
  readonly http: HttpConfig;
  /** Options of `ChatModule.forRoot`, and passed on as they are. */
  readonly chat: ChatConfig;
  /** Options of `createModel`, and its first argument; and the models that answer when the one before them fails. */
  readonly model: ModelOptions & {
    readonly name: string;
    readonly fallbacks: readonly { readonly name: string; readonly apiKey?: string }[];
  };
  /** Graphs of your own. */
  readonly agents: readonly AgentReference[];
  /** The names of all agents, the default first. */
  readonly agentNames: readonly string[];
  /** Search by meaning in the store of graphs, and the key that `embed` may need. */
  readonly storeIndex?: ProjectStore['index'] & { readonly apiKey?: string };
  /** Variables that langgraph.json sets for its graphs, if the environment does not. */
  readonly graphEnv: Readonly<Record<string, string>>;
  /** The tools of graphs whose arguments and results are shown, by agent. */
  readonly exposedTools: ReadonlyMap<string, true | readonly string[]>;
  /** The keys of the state of graphs that are shown, by agent. */
  readonly exposedState: ReadonlyMap<string, true | readonly string[]>;
  /** The agents whose graphs' errors people see. */
  readonly exposedErrors: readonly string[];
  /** Questions that the page offers, by agent. */
  readonly suggestions: ReadonlyMap<string, readonly string[]>;
  /** The keys of `configurable` that requests may set, by agent. `*` is for all. */
  readonly configurableKeys: ReadonlyMap<string, readonly string[]>;
  /** The media types of files that graphs take, by agent. */
  readonly graphAccepts: ReadonlyMap<string, readonly string[]>;
  /** The agents whose state requests may change. */
  readonly stateChanges: readonly string[];
  /** The agents whose graphs keep their state after each superstep. */
  readonly stateHistory: readonly string[];
  /** Options of agents that drive those graphs. */
  readonly ownGraphs: Pick<LangGraphAgentOptions, 'recursionLimit' | 'stateMaxBytes'>;
  /** Options of the built-in agent. */
  readonly assistant: Pick<ChatAgentOptions, 'toolResultMaxBytes' | 'contextMaxTokens' | 'accepts'>;
  /** Absent `knowledgeDirectory`: this project's own documentation. */
  readonly library: Omit<ToolLibraryOptions, 'knowledgeDirectory'> &
    Partial<Pick<ToolLibraryOptions, 'knowledgeDirectory'>>;
  readonly storage: StorageConfig;
  /** The work of this process: answering requests, working on runs, or both. */
  readonly roles: readonly ('api' | 'worker')[];
  readonly logging: {
    readonly level: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';
    /** True if the message of a request is logged. */
    readonly prompts: boolean;
  };
  readonly telemetry: TelemetryConfig;
  /** Settings that are allowed and probably not meant; for the log, once. */
  readonly warnings: readonly string[];
}

export interface TelemetryConfig {
  /** True if a standard variable of OpenTelemetry says where traces or metrics go. */
  readonly isExporting: boolean;
  /** Exporters of metrics by the standard variable. */
  readonly metricsExporters: readonly string[];
  /** Name of the service by the standard variables. */
  readonly serviceName?: string;
  readonly metricsHost: string;
  readonly metricsPort?: number;
}

export interface HttpConfig {
  readonly host: string;
  readonly port: number;
  readonly tls?: Tls;
  /** Express's `trust proxy`. */
  readonly trustProxy: boolean | number | readonly string[];
  readonly keepAliveMs: number;
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  /** The web origins, beside its own, that may call it. */
  readonly corsOrigins: readonly string[];
  readonly maxHistoryBytes: number;
  readonly maxBodyBytesInFlight: number;
}

/** Options that are code, or that the app decides by itself. */
type WithoutSetting = 'storage' | 'agents' | 'mcp' | 'hooks' | 'roles' | 'worker';

export interface ChatConfig extends Omit<ChatModuleOptions, WithoutSetting> {
  /** `local` when no setting says how callers prove who they are. */
  readonly auth: LocalAuthOptions | CredentialsAuthOptions;
  readonly maxMessageBytes: number;
  readonly drainMs: number;
  readonly throttling: ThrottlingLimits;
  readonly limits: RunLimits;
  readonly retention: RetentionOptions;
  readonly store: Omit<StoreOptions, 'index'>;
  readonly parallelToolCalls: ToolConcurrency;
  readonly approvals: Required<ApprovalSettings>;
  readonly tainted: TaintOptions;
}

export interface StorageConfig {
  readonly sqlite: Required<Pick<SqliteStorageOptions, 'directory' | 'synchronous'>>;
  /** Used in place of `sqlite` if it has a `url`. */
  readonly postgres: Partial<Pick<PostgresStorageOptions, 'url' | 'listenUrl' | 'poolSize'>>;
  readonly redisUrl?: string;
  /** Used for the bytes of files if it has a `bucket`. */
  readonly s3: Partial<Omit<S3ObjectStoreOptions, 'credentials' | 'patienceMs'>>;
  readonly statesMaxBytes: number;
}

/** A line of the fault list: `PORT=abc: write a whole number from 0 to 65535`. */
type SettingError = string;

/**
 * Reads and checks all settings. The only place that reads the environment.
 *
 * @throws AppError `CONFIG_INVALID` that lists every fault at once; `details.faults` has them one by one
 */
export function loadConfig(env: Readonly<Record<string, string | undefined>> = process.env): Config {
  nameOptionsBy(SETTINGS_OF_OPTIONS);
  const { settings, malformed, faults } = readSettings(env);
  for (const rule of RULES) {
    if (rule.about.some((name) => malformed.has(name))) continue;
    const remedy = rule.findError(settings);
    if (remedy !== undefined) faults.push(formatError(rule.about[0], env, remedy));
  }
  if (faults.length > 0) {
    const lines = faults.map((fault) => `  ${fault}`).join('\n');
    throw new AppError('CONFIG_INVALID', `The settings are not usable:\n${lines}`, { details: { faults } });
  }
  const config = joinSettings(settings, [...findTypos(Object.keys(env)), ...warningsAbout(settings)]);
  return { ...config, telemetry: { ...config.telemetry, ...readStandardVariables(env) } };
}

/** Variables that ask for an export. Others, such as the name of the service, only describe it. */
const EXPORTS = /^OTEL_(EXPORTER_OTLP_(\w+_)?ENDPOINT|(TRACES|METRICS)_EXPORTER)$/;

function readStandardVariables(env: Readonly<Record<string, string | undefined>>) {
  const isDisabled = env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true';
  const isExporting = !isDisabled && Object.keys(env).some((name) => EXPORTS.test(name) && env[name]);
  const inAttributes = /(?:^|,)\s*service\.name=([^,]+)/.exec(env['OTEL_RESOURCE_ATTRIBUTES'] ?? '')?.[1];
  const serviceName = env['OTEL_SERVICE_NAME'] || inAttributes;
  return {
    isExporting,
    metricsExporters: items(env['OTEL_METRICS_EXPORTER'] || 'otlp'),
    ...(serviceName && { serviceName }),
  };
}

/** Sets variables for a package that reads them itself. */
export function overrideEnvironment(variables: Readonly<Record<string, string>>): void {
  Object.assign(process.env, variables);
}

/** Puts what a graph's own modules read, such as the key of a provider, into the environment. What is there already stays. */
export function giveEnvironment(variables: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(variables)) process.env[name] ??= value;
}

/** Each setting by itself. A blank one counts as absent, as Compose files and CI forms write them. */
function readSettings(env: Readonly<Record<string, string | undefined>>) {
  const settings: Partial<Record<SettingName, unknown>> = {};
  const malformed = new Set<SettingName>();
  const faults: SettingError[] = [];
  for (const name of SETTING_NAMES) {
    const { format, default: value } = describeSetting(name);
    const text = env[name]?.trim();
    try {
      settings[name] = text ? format.parse(text) : value;
    } catch (error) {
      if (!(error instanceof InvalidSettingError || error instanceof AppError)) throw error;
      malformed.add(name);
      faults.push(formatError(name, env, error.message));
    }
  }
  // What is malformed is absent here; rules about it are skipped, and then loadConfig throws.
  return { settings: settings as Settings, malformed, faults };
}

function formatError(
  name: SettingName,
  env: Readonly<Record<string, string | undefined>>,
  remedy: string,
): SettingError {
  const value = env[name]?.trim();
  const shown = value && !describeSetting(name).isSecret ? `${name}=${value}` : name;
  return `${shown}: ${remedy.replace(/\.$/, '')}.`;
}
