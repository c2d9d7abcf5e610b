import type { StoreOptions } from '../agents/agent-store.js';
import type { Agent } from '../agents/agent.js';
import type { AuthOptions } from '../auth/auth.options.js';
import { validateBrand, type BrandOptions } from '../brand.js';
import { validatePrices } from '../runs/prices.js';
import type { TelemetryOptions } from '../telemetry/telemetry.options.js';
import type { Tool } from '../tools/agent-tool.js';
import { toHostPattern } from '../tools/library/http-fetch/host-pattern.js';
import type { ChatModuleOptions } from './chat.options.js';

/** Options as a host wrote them. The compiler may not have seen them: an async factory, a JavaScript file. */
type Given<T> = { readonly [Key in keyof T]?: unknown } | undefined;

const STORAGE_PARTS = ['runs', 'log', 'wakeups', 'retention', 'state', 'items', 'blobs', 'checkpointer'];

/** Returns everything that is wrong with the module's options, one sentence each with its remedy; empty if they are usable. */
export function validateChatOptions(options: Given<ChatModuleOptions>): string[] {
  if (typeof options !== 'object')
    return [
      'ChatModule has no options. Return { storage, agents, auth } from the useFactory of forRootAsync.',
    ];
  const errors: string[] = [];
  if (!hasAll(options.storage, STORAGE_PARTS))
    errors.push("ChatModule has no storage. Write storage: new SqliteStorage({ directory: 'data' }).");
  if (typeof options.agents !== 'function')
    errors.push('agents of ChatModule is no function. Write agents: (kit) => [createChatAgent({ … })].');
  if (typeof options.auth !== 'object' || options.auth === null)
    errors.push(
      "ChatModule has no auth. Write auth: { kind: 'host', getPrincipal: (request) => … }, or kind 'credentials' or 'local'.",
    );
  for (const [option, least] of [
    ['maxRunsPerPrincipal', 1],
    ['maxDelayedRunsPerPrincipal', 0],
  ] as const) {
    const most = options[option];
    if (most !== undefined && !(Number.isInteger(most) && Number(most) >= least))
      errors.push(
        `${option} of ChatModule is ${Number(most)}: it must be a whole number of at least ${least}.`,
      );
  }
  if (options.prices !== undefined) errors.push(...validatePrices(options.prices, 'prices of ChatModule'));
  if (options.brand !== undefined)
    errors.push(...validateBrand(options.brand as BrandOptions, (option) => `brand.${option} of ChatModule`));
  return [
    ...errors,
    ...validateStore(options.store as Given<StoreOptions>),
    ...validateTelemetry(options.telemetry as Given<TelemetryOptions>),
  ];
}

function validateTelemetry({ propagateTo = [] }: NonNullable<Given<TelemetryOptions>> = {}): string[] {
  if (!Array.isArray(propagateTo)) return ['telemetry.propagateTo of ChatModule must be a list of hosts.'];
  return propagateTo
    .filter((host) => typeof host !== 'string' || toHostPattern(host) === undefined)
    .map(
      (host) =>
        `telemetry.propagateTo of ChatModule has '${String(host)}', which is no host. Write tools.example.com or *.example.org.`,
    );
}

function validateStore(store: Given<StoreOptions>): string[] {
  if (store === undefined) return [];
  const errors: string[] = [];
  const { scope = 'user', index } = store;
  if (scope !== 'user' && scope !== 'tenant')
    errors.push("store.scope of ChatModule must be 'user' or 'tenant'.");
  for (const name of ['ttlMs', 'maxItemBytes', 'maxItems', 'maxBytes'] as const) {
    const value = store[name];
    if (value !== undefined && !(Number.isSafeInteger(value) && Number(value) >= 1))
      errors.push(`store.${name} of ChatModule must be a whole number of at least 1.`);
  }
  if (index === undefined) return errors;
  const { dims, embed } = index as { readonly dims?: unknown; readonly embed?: unknown };
  if (!(Number.isSafeInteger(dims) && Number(dims) >= 1))
    errors.push('store.index.dims of ChatModule must be the length of the vectors, a whole number.');
  if (typeof embed !== 'function' && !hasAll(embed, ['embedDocuments', 'embedQuery']))
    errors.push(
      'store.index.embed of ChatModule must be an Embeddings of LangChain, or a function that returns the vector of each text.',
    );
  return errors;
}

/** Returns everything that is wrong with the value that `agents` returned. */
export function validateAgents(agents: unknown): string[] {
  if (!Array.isArray(agents) || agents.length === 0)
    return [
      'agents of ChatModule returns no agent. Return a list of at least one: the first answers by default.',
    ];
  return agents.flatMap((agent: unknown, index) =>
    isAgent(agent)
      ? []
      : [
          `agents of ChatModule returns something at position ${index} that is no Agent. ` +
            (hasAll(agent, ['stream', 'invoke'])
              ? 'Drive a graph by new LangGraphAgent({ ...kit, name, description, graph }).'
              : 'Return what createChatAgent or new LangGraphAgent makes, or extend Agent.'),
        ],
  );
}

/**
 * Roles that an agent or a tool asks for and that no caller can have: most often a misspelling, which would hide it from everybody.
 *
 * @param known every role there is; undefined when that cannot be known, and then nothing is a fault
 * @param readContinuation where a tool is written
 */
export function validateRoles({
  agents,
  tools,
  describeOrigin,
  known,
}: {
  readonly agents: readonly Agent[];
  readonly tools: readonly Tool[];
  readonly describeOrigin: (tool: Tool) => string;
  readonly known: ReadonlySet<string> | undefined;
}): string[] {
  if (!known) return [];
  const asking = [
    ...agents.map(({ name, roles }) => ({ what: `The agent '${name}'`, roles })),
    ...tools.map((tool) => ({
      what: `The tool '${tool.name}' (${describeOrigin(tool)})`,
      roles: tool.roles,
    })),
  ];
  const there = [...known].join(', ') || 'none';
  return asking.flatMap(({ what, roles = [] }) =>
    roles
      .filter((role) => !known.has(role))
      .map(
        (role) =>
          `${what} is for the role '${role}', which no caller can have. Known roles: ${there}. Correct the role, or give it to a caller.`,
      ),
  );
}

/** Tools that `approvals` names and that are not there: their calls would be made without anybody's approval. */
export function validateApprovals(
  { approvals, mcp = [] }: Pick<ChatModuleOptions, 'approvals' | 'mcp'>,
  tools: readonly Tool[],
): string[] {
  const there = tools.map(({ name }) => name);
  return (
    (approvals?.tools ?? [])
      .filter((name) => !there.includes(name))
      // A server that is away at start brings its tools later.
      .filter((name) => !mcp.some((server) => name.startsWith(`${server.name}_`)))
      .map(
        (name) => `approvals names the tool '${name}', which is not there. There are: ${there.join(', ')}.`,
      )
  );
}

/** Every role that a caller can have; undefined when it is the issuer's or the host's affair. */
export function getKnownRoles({
  auth,
  roles,
}: Pick<ChatModuleOptions, 'auth' | 'roles'>): Set<string> | undefined {
  const given = roles ?? listRoles(auth);
  return given && !given.includes('*') ? new Set(given) : undefined;
}

function listRoles(auth: AuthOptions): readonly string[] | undefined {
  if (auth.kind === 'local') return auth.roles;
  if (auth.kind === 'host' || auth.jwt) return undefined;
  return auth.apiKeys?.flatMap((key) => key.roles ?? []);
}

function isAgent(value: unknown): value is Agent {
  return hasAll(value, ['name', 'run']) && typeof (value as Agent).run === 'function';
}

function hasAll(value: unknown, names: readonly string[]): boolean {
  return typeof value === 'object' && value !== null && names.every((name) => name in value);
}
