import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { AppError } from '../../../errors.js';
import { AgentTool } from '../../agent-tool.decorator.js';
import type { ToolContext } from '../../agent-tool.js';
import { ToolError } from '../../tool.error.js';
import { ToolLibraryOptions } from '../tool-library.options.js';
import type { LookupDatabase } from './lookup-database.js';
import type { LookupResult, TableDescription } from './lookup-result.js';
import { lookupDatabase } from './lookup-source.js';
import { singleStatement, findTables } from './sql.js';

const INPUT = z.object({
  sql: z
    .string()
    .max(8_000)
    .optional()
    .describe('One SELECT. Leave it out to get the tables and their columns.'),
});

export type DataLookupOutput = LookupResult | { readonly tables: readonly TableDescription[] };

@Injectable()
export class DataLookupTool {
  readonly #database: LookupDatabase;

  /** @throws AppError `CONFIG_INVALID` when `lookupDatabaseUrl` is of an unknown kind */
  constructor(options: ToolLibraryOptions) {
    this.#database = lookupDatabase(options.lookupDatabaseUrl);
  }

  @AgentTool({
    name: 'data_lookup',
    // How many and not which: the names in a company's database are its own affair.
    label: ({ sql }) => label(sql ? findTables(sql).length : undefined),
    description:
      'Read from the SQL database. Call it without sql first: it answers with the tables and their columns. Then send one ' +
      'SELECT; join and aggregate in SQL and ask for few rows, 200 at most are returned. Writing is not possible.',
    input: INPUT,
    timeoutMs: 20_000,
  })
  async lookUp({ sql }: z.output<typeof INPUT>, context: ToolContext): Promise<DataLookupOutput> {
    if (!sql?.trim()) return { tables: await this.#database.tables(context) };
    const result = await this.#query(sql, context);
    context.progress(result.rows.length === 1 ? 'Found 1 row' : `Found ${result.rows.length} rows`);
    return result;
  }

  async #query(sql: string, context: ToolContext): Promise<LookupResult> {
    const statement = readStatement(sql);
    try {
      return await this.#database.query(statement, context);
    } catch (error) {
      context.signal.throwIfAborted();
      throw toToolError(error);
    }
  }
}

function readStatement(sql: string): string {
  try {
    return singleStatement(sql);
  } catch (cause) {
    throw new ToolError((cause as Error).message, { cause });
  }
}

/** The words of a database name its columns and show what is in them: they are for the model. */
function toToolError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof AppError) return error;
  return new ToolError('The database rejected the query.', { modelMessage: error.message, cause: error });
}

/** @param tables how many the query reads; undefined when it asks which there are */
function label(tables: number | undefined): string {
  if (tables === undefined) return 'Looking at what data there is…';
  if (tables === 0) return 'Looking up data…';
  return tables === 1 ? 'Looking up 1 table…' : `Looking up ${tables} tables…`;
}
