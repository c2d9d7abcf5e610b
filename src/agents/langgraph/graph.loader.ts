import type { AgentDefaults } from '../agent.js';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { AppError } from '../../errors.js';
import { importGraphModule } from './graph-module.js';
import { splitReference } from './graph-reference.js';
import { providePlatformLogger } from './platform-logger.js';
import { toCompiledGraph, type CompiledGraph, type GraphFactory } from './graph-source.js';

/** Names that an agent may have, in settings and in langgraph.json. */
export const AGENT_NAME = /^[a-z0-9_-]+$/i;

/** One entry of the AGENTS setting. */
export interface AgentReference {
  readonly name: string;
  /** `path/to/module.js` or `path/to/module.js#exportName`, as `loadGraph` takes it. */
  readonly reference: string;
  /** One line for people who choose among agents. */
  readonly description?: string;
  /** True if people see all of its state where no setting says otherwise, as on a LangGraph Server. */
  readonly exposesState?: boolean;
  /** Values that its runs get where their starts give none. */
  readonly defaults?: AgentDefaults;
}

/**
 * Reads the AGENTS setting: `name=path#export` entries, separated by commas. An empty setting names no agents.
 *
 * @throws AppError `CONFIG_INVALID` that lists every faulty entry
 */
export function parseAgents(setting: string): AgentReference[] {
  const agents: AgentReference[] = [];
  const errors: string[] = [];
  for (const entry of setting.split(',').map((text) => text.trim())) {
    if (entry === '') continue;
    const [, name, reference] =
      /^([a-z0-9_-]+)=([^\s#]+(?:#[\p{ID_Start}$_][\p{ID_Continue}$]*)?)$/iu.exec(entry) ?? [];
    if (!name || !reference)
      errors.push(`'${entry}' is not name=path#export with a name of letters, digits, _ and -`);
    else if (agents.some((agent) => agent.name === name)) errors.push(`'${name}' is listed twice`);
    else agents.push({ name, reference });
  }
  if (errors.length > 0) {
    throw new AppError('CONFIG_INVALID', `${errors.join('; ')}. Example: support=./agents/support.js#graph`);
  }
  return agents;
}

/**
 * Loads a LangGraph graph from a module: JavaScript, or TypeScript where the package `jiti` is installed.
 *
 * @param reference `path/to/module.js#exportName` or, as in langgraph.json, `path/to/module.ts:exportName`; relative to the working directory; without
 *   a name, the default export. The export is a graph, compiled or not, what `createAgent` returns, or a function (async or not) that returns one of
 *   them. A function that takes a parameter is called for every run, with its config; any other once, here.
 * @throws AppError `CONFIG_INVALID` when the file or export is missing, the module fails to load, or it is not a graph; `cause` says why
 */
export async function loadGraph(reference: string): Promise<CompiledGraph | GraphFactory> {
  const exported = await importReference(reference);
  if (typeof exported !== 'function') return compiledFrom(exported, reference);
  const factory = exported as GraphFactory;
  if (factory.length > 0) return factory;
  const made = await orInvalid(
    () => factory({ configurable: {} }),
    `The function '${reference}' did not return a graph.`,
  );
  return compiledFrom(made, reference);
}

/** Imports what a reference names, whatever it is. @throws AppError CONFIG_INVALID */
export function importReference(reference: string): Promise<unknown> {
  const { path, exportName } = splitReference(reference);
  return importExport(path, exportName);
}

async function compiledFrom(value: unknown, reference: string): Promise<CompiledGraph> {
  const graph = await orInvalid(() => toCompiledGraph(value), `The graph '${reference}' cannot be compiled.`);
  if (graph) return graph;
  throw new AppError(
    'CONFIG_INVALID',
    `The agent '${reference}' is not a LangGraph graph. Export a StateGraph, the result of createAgent(…), or a function that returns one of them.`,
  );
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
  providePlatformLogger();
  const module = await orInvalid(
    () => importGraphModule(file),
    `The agent module '${path}' threw an error while it was loaded.`,
  );
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

/** The cause is the operator's to read: the message names no path but the one that was given. */
async function orInvalid<Value>(attempt: () => Value | Promise<Value>, message: string): Promise<Value> {
  try {
    return await attempt();
  } catch (cause) {
    throw new AppError('CONFIG_INVALID', message, { cause });
  }
}
