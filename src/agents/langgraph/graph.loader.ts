import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { CompiledStateGraph } from '@langchain/langgraph';
import { AppError } from '../../errors.js';

/** Any compiled graph, whatever its state and nodes. */
// eslint-disable-next-line typescript/no-explicit-any -- the type parameters are invariant; no narrower type takes every graph
export type CompiledGraph = CompiledStateGraph<any, any, any>;

/** One entry of the AGENTS setting. */
export interface AgentReference {
  readonly name: string;
  /** `path/to/module.js` or `path/to/module.js#exportName`, as `loadGraph` takes it. */
  readonly reference: string;
}

/**
 * Reads the AGENTS setting: `name=path#export` entries, separated by commas. An empty setting names no agents.
 *
 * @throws AppError `CONFIG_INVALID` that lists every faulty entry
 */
export function parseAgents(setting: string): AgentReference[] {
  const agents: AgentReference[] = [];
  const faults: string[] = [];
  for (const entry of setting.split(',').map((text) => text.trim())) {
    if (entry === '') continue;
    const [, name, reference] =
      /^([a-z0-9-]+)=([^\s#]+(?:#[\p{ID_Start}$_][\p{ID_Continue}$]*)?)$/u.exec(entry) ?? [];
    if (!name || !reference) faults.push(`'${entry}' is not name=path#export with a name of a-z, 0-9 and -`);
    else if (agents.some((agent) => agent.name === name)) faults.push(`'${name}' is there twice`);
    else agents.push({ name, reference });
  }
  if (faults.length > 0) {
    throw new AppError(
      'CONFIG_INVALID',
      `AGENTS: ${faults.join('; ')}. Example: AGENTS=support=./agents/support.js#graph`,
    );
  }
  return agents;
}

/**
 * Loads a compiled LangGraph graph from a module.
 *
 * @param reference `path/to/module.js#exportName`, relative to the working directory; without `#`, the default export. The
 *   export is a compiled graph, what `createAgent` returns, or a function (async or not) that returns one of them.
 * @throws AppError `CONFIG_INVALID` when the file or export is missing, the module fails to load, or it is no compiled graph
 */
export async function loadGraph(reference: string): Promise<CompiledGraph> {
  const [path = '', exportName = 'default'] = reference.split('#');
  const exported = await importExport(path, exportName);
  const value = typeof exported === 'function' ? await build(exported as () => unknown, reference) : exported;
  const graph = unwrap(value);
  if (graph) return graph;
  const hint = hasMethod(value, 'compile')
    ? 'It is a graph that is not compiled: export graph.compile().'
    : 'Export graph.compile(), the result of createAgent(…), or a function that returns one of them.';
  throw new AppError('CONFIG_INVALID', `The agent '${reference}' is not a compiled LangGraph graph. ${hint}`);
}

async function importExport(path: string, exportName: string): Promise<unknown> {
  const file = resolve(path);
  const found = await stat(file).catch(() => undefined);
  if (!found?.isFile()) {
    throw new AppError(
      'CONFIG_INVALID',
      `The agent module '${path}' does not exist. Give its path from the directory the server is started in.`,
    );
  }
  const module = await importModule(file, path);
  if (exportName in module) return module[exportName];
  const names = Object.keys(module);
  throw new AppError(
    'CONFIG_INVALID',
    `The module '${path}' has no export '${exportName}'. ` +
      (names.length > 0
        ? `Write one of: ${names.map((name) => `${path}#${name}`).join(', ')}.`
        : 'It exports nothing.'),
  );
}

async function importModule(file: string, path: string): Promise<Record<string, unknown>> {
  try {
    return (await import(pathToFileURL(file).href)) as Record<string, unknown>;
  } catch (cause) {
    throw new AppError(
      'CONFIG_INVALID',
      `The agent module '${path}' fails while it is loaded. The cause is in the log.`,
      {
        cause,
      },
    );
  }
}

async function build(factory: () => unknown, reference: string): Promise<unknown> {
  try {
    return await factory();
  } catch (cause) {
    throw new AppError(
      'CONFIG_INVALID',
      `The function '${reference}' fails to make a graph. The cause is in the log.`,
      {
        cause,
      },
    );
  }
}

/**
 * Asked by shape, not by class: the module may bring its own copy of LangGraph. What `createAgent` returns has the compiled
 * graph as its `graph`.
 */
function unwrap(value: unknown): CompiledGraph | undefined {
  const inner = (value as { readonly graph?: unknown } | undefined)?.graph;
  return [value, inner].find(isCompiled);
}

function isCompiled(value: unknown): value is CompiledGraph {
  return (
    hasMethod(value, 'stream') &&
    hasMethod(value, 'getState') &&
    'checkpointer' in value &&
    'channels' in value
  );
}

function hasMethod<Name extends string>(value: unknown, name: Name): value is Record<Name, () => unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as Record<string, unknown>)[name] === 'function'
  );
}
