import type { Agent } from '../agents/agent.js';
import type { AuthOptions } from '../auth/auth.options.js';
import type { Tool } from '../tools/agent-tool.js';
import type { ChatModuleOptions } from './chat.options.js';

/** Whatever a host wrote, which the compiler may not have seen: an async factory, a JavaScript file. */
type Given<T> = { readonly [Key in keyof T]?: unknown } | undefined;

const STORAGE_PARTS = ['runs', 'log', 'wakeups', 'retention', 'checkpointer'];

/** What is wrong with the module's options as such, one sentence each with its remedy; empty when they are usable. */
export function optionFaults(options: Given<ChatModuleOptions>): string[] {
  if (typeof options !== 'object')
    return [
      'ChatModule has no options. Return { storage, agents, auth } from the useFactory of forRootAsync.',
    ];
  const faults: string[] = [];
  if (!hasAll(options.storage, STORAGE_PARTS))
    faults.push("ChatModule has no storage. Write storage: new SqliteStorage({ directory: 'data' }).");
  if (typeof options.agents !== 'function')
    faults.push('agents of ChatModule is no function. Write agents: (kit) => [createChatAgent({ … })].');
  if (typeof options.auth !== 'object' || options.auth === null)
    faults.push(
      "ChatModule has no auth. Write auth: { kind: 'host', principalOf: (request) => … }, or kind 'credentials' or 'local'.",
    );
  return faults;
}

/** What is wrong with what `agents` returned. */
export function agentFaults(agents: unknown): string[] {
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
 * Roles that an agent or a tool asks for and that nobody can have: most often a misspelling, by which it would be there for nobody.
 *
 * @param known every role there is; undefined when that cannot be known, and then nothing is a fault
 * @param originOf where a tool is written
 */
export function roleFaults({
  agents,
  tools,
  originOf,
  known,
}: {
  readonly agents: readonly Agent[];
  readonly tools: readonly Tool[];
  readonly originOf: (tool: Tool) => string;
  readonly known: ReadonlySet<string> | undefined;
}): string[] {
  if (!known) return [];
  const asking = [
    ...agents.map(({ name, roles }) => ({ what: `The agent '${name}'`, roles })),
    ...tools.map((tool) => ({ what: `The tool '${tool.name}' (${originOf(tool)})`, roles: tool.roles })),
  ];
  const there = [...known].join(', ') || 'none';
  return asking.flatMap(({ what, roles = [] }) =>
    roles
      .filter((role) => !known.has(role))
      .map(
        (role) =>
          `${what} is for the role '${role}', which nobody can have. There are: ${there}. Correct it there, or give it to somebody.`,
      ),
  );
}

/** Tools that `approvals` names and that are not there: their calls would be made without anybody's approval. */
export function approvalFaults(
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
export function knownRoles({
  auth,
  roles,
}: Pick<ChatModuleOptions, 'auth' | 'roles'>): Set<string> | undefined {
  const given = roles ?? rolesIn(auth);
  return given && !given.includes('*') ? new Set(given) : undefined;
}

function rolesIn(auth: AuthOptions): readonly string[] | undefined {
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
