import { Logger } from '@nestjs/common';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { AgentSchemas } from '../agent.js';
import { splitReference } from './graph-reference.js';

/** The part of LangGraph's server for development that reads schemas from the types of a module. */
const READER = '@langchain/langgraph-api/schema';

/** The reader, as far as it is used here. It works in a thread of its own, for some seconds. */
interface SchemaReader {
  readonly getStaticGraphSchema: (module: {
    readonly sourceFile: string;
    readonly exportSymbol: string;
  }) => Promise<Readonly<Record<string, StaticSchemas>>>;
}

interface StaticSchemas extends Pick<AgentSchemas, 'input' | 'output' | 'state'> {
  readonly config?: AgentSchemas['context'];
}

const logger = new Logger('TypedSchemas');

/** Modules are read one after the other: each takes the memory of a type check. */
let last: Promise<unknown> = Promise.resolve();

function inTurn<Value>(read: () => Promise<Value>): Promise<Value> {
  const turn = last.then(read);
  last = turn;
  return turn;
}

/** The schemas in the types of a graph's module, and of the graphs that are nodes of it. They are read when they are asked for, and once. */
export class TypedSchemas {
  private schemas: Promise<Readonly<Record<string, StaticSchemas>>> | undefined;
  private readonly file: string;
  private readonly exportName: string;

  /** @param reference the module, as for `loadGraph` */
  constructor(reference: string) {
    const { path, exportName } = splitReference(reference);
    this.file = resolve(path);
    this.exportName = exportName;
  }

  /**
   * Returns the schemas of the graph at a path of nodes; an empty path is the whole graph. Undefined if the types say nothing, or the module's project has
   * no package that reads them.
   */
  async read(path: string): Promise<AgentSchemas | undefined> {
    this.schemas ??= inTurn(() => this.readAll());
    const found = (await this.schemas)[path === '' ? this.exportName : `${this.exportName}|${path}`];
    if (!found) return undefined;
    const { config, ...schemas } = found;
    return { ...schemas, ...(config && { context: config }) };
  }

  private async readAll(): Promise<Readonly<Record<string, StaticSchemas>>> {
    const reader = this.findReader();
    if (reader === undefined) return {};
    try {
      const { getStaticGraphSchema } = (await import(pathToFileURL(reader).href)) as SchemaReader;
      return await getStaticGraphSchema({ sourceFile: this.file, exportSymbol: this.exportName });
    } catch (error) {
      logger.warn({ err: error }, `The types of '${this.file}' cannot be read.`);
      return {};
    }
  }

  /** It is looked for where the module is, since it has to be made for the LangGraph and the TypeScript of that project. */
  private findReader(): string | undefined {
    if (!/\.[cm]?tsx?$/.test(this.file)) return undefined;
    try {
      return createRequire(this.file).resolve(READER);
    } catch {
      return undefined;
    }
  }
}
