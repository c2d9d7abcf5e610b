import { readFileSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { z } from 'zod';
import { notesOnStore, readStore, STORE, type ProjectStore } from './langgraph-store.js';
import type { AgentDefaults } from '../agents/agent.js';
import { AGENT_NAME, type AgentReference } from '../agents/langgraph/graph.loader.js';

/** The parts of a LangGraph Server project that have a counterpart here. */
export interface LangGraphJson {
  readonly agents: readonly AgentReference[];
  /** Environment variables that its graphs expect. */
  readonly env: Readonly<Record<string, string>>;
  /** What its graphs keep beyond a thread. */
  readonly store?: ProjectStore;
  /** Its other parts and their replacements, a line each. */
  readonly notes: readonly string[];
}

const GRAPH = z.union([z.string(), z.looseObject({ path: z.string(), description: z.string().optional() })]);

const FILE = z.looseObject({
  graphs: z.record(z.string(), GRAPH),
  env: z.union([z.string(), z.array(z.string()), z.record(z.string(), z.coerce.string())]).optional(),
  store: STORE.optional(),
});

/** LangGraph's name for the variable with the values that runs get by default, by graph. */
const DEFAULTS = 'LANGGRAPH_CONFIG';

const VALUES = z.record(z.string(), z.unknown()).optional();
const DEFAULTS_SCHEMA = z.record(z.string(), z.looseObject({ configurable: VALUES, context: VALUES }));

/** Keys that are read, or that would change nothing on a running server. */
const TAKEN = new Set(['$schema', 'graphs', 'env', '_INTERNAL_docker_tag', 'api_version', 'base_image']);

const INSTEAD: Readonly<Record<string, string>> = {
  auth: 'It is not used. Set AUTH_JWT_SECRET, AUTH_JWKS_URL or AUTH_API_KEYS instead',
  checkpointer:
    'It is not used. DATA_DIR or DATABASE_URL says where threads are kept, RETENTION_DAYS how long',
  dependencies: 'They are not installed. Install them with npm before the start',
  dockerfile_lines: 'They are not used. Write them into your own Dockerfile',
  http: 'It is not used. For your own routes, put ChatModule into an app of your own. Set CORS_ORIGINS for the origins',
  node_version: `This server runs on Node ${process.versions.node}`,
  python_version: 'Graphs in Python do not run here',
  ui: 'Components are not served. Put them into your front end',
  webhooks: 'They are not called. Use the `hooks` of ChatModule',
};

/**
 * Reads a langgraph.json.
 *
 * @throws Error whose message says what to write instead
 */
export function readLangGraphJson(path: string): LangGraphJson {
  const file = resolve(path);
  const content = FILE.safeParse(parse(file));
  if (!content.success) throw new Error(`it is not a langgraph.json. ${z.prettifyError(content.error)}`);
  const { graphs, env, store, ...others } = content.data;
  const variables = readEnv(env, dirname(file));
  const defaults = readDefaults(variables[DEFAULTS]);
  const agents = Object.entries(graphs).map(([name, graph]) => ({
    ...toReference(name, graph, dirname(file)),
    ...(defaults[name] && { defaults: defaults[name] }),
  }));
  if (agents.length === 0)
    throw new Error('it has no `graphs`. Write { "graphs": { "agent": "./src/agent.ts:graph" } }');
  return {
    agents,
    env: variables,
    ...(store && { store: readStore(store, (path) => fromHere(path, dirname(file))) }),
    notes: [...notesOn({ ...others, env }), ...(store ? notesOnStore(store) : [])],
  };
}

function parse(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    throw new Error('the file cannot be read; write the path of a langgraph.json');
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`it is not JSON: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

/** Its paths are from where the file is. */
function toReference(name: string, graph: z.output<typeof GRAPH>, directory: string): AgentReference {
  if (!AGENT_NAME.test(name)) throw new Error(`the graph '${name}' needs a name of letters, digits, _ and -`);
  const { path, description } = typeof graph === 'string' ? { path: graph } : graph;
  return {
    name,
    reference: fromHere(path, directory),
    exposesState: true,
    ...(description !== undefined && { description }),
  };
}

function fromHere(path: string, directory: string): string {
  return isAbsolute(path) ? path : relative(process.cwd(), join(directory, path));
}

function readEnv(env: z.output<typeof FILE>['env'], directory: string): Readonly<Record<string, string>> {
  if (env === undefined || Array.isArray(env)) return {};
  if (typeof env !== 'string') return env;
  try {
    // `parseEnv` types each as possibly absent.
    return parseEnv(readFileSync(resolve(directory, env), 'utf8')) as Record<string, string>;
  } catch (cause) {
    throw new Error(`its \`env\` names the file ${env}, which cannot be read`, { cause });
  }
}

/** Reads the values that LangGraph's servers give to the runs of a graph. */
function readDefaults(text: string | undefined): Readonly<Record<string, AgentDefaults>> {
  if (text === undefined) return {};
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new Error(`its ${DEFAULTS} is not JSON`, { cause });
  }
  const parsed = DEFAULTS_SCHEMA.safeParse(json);
  if (!parsed.success) throw new Error(`its ${DEFAULTS}: ${z.prettifyError(parsed.error)}`);
  return Object.fromEntries(
    Object.entries(parsed.data).map(([name, { configurable, context }]) => [
      name,
      { ...(configurable && { configurable }), ...(context && { context }) },
    ]),
  );
}

function notesOn({ env, ...others }: Readonly<Record<string, unknown>>): string[] {
  const lines = Object.keys(others)
    .filter((key) => !TAKEN.has(key))
    .map(
      (key) => `\`${key}\` of langgraph.json: ${INSTEAD[key] ?? 'It has no counterpart here and no effect'}.`,
    );
  if (Array.isArray(env)) lines.push(`langgraph.json needs ${env.join(', ')} in the environment.`);
  return lines;
}
