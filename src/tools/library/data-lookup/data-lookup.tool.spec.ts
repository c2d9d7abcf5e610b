import { describe, expect, it } from '@jest/globals';
import { agentToolOptions } from '../../agent-tool.decorator.js';
import { callContext } from '../../tool.testing.js';
import { DataLookupTool } from './data-lookup.tool.js';

const label = agentToolOptions(DataLookupTool.prototype, 'lookUp')?.label as (input: object) => string;

describe('DataLookupTool', () => {
  it('shows people how many tables it looks up, but not which', () => {
    expect(label({})).toBe('Looking at what data there is…');
    expect(label({ sql: 'SELECT 1' })).toBe('Looking up data…');
    expect(label({ sql: 'SELECT * FROM salaries' })).toBe('Looking up 1 table…');
    expect(label({ sql: 'SELECT * FROM a JOIN b JOIN c' })).toBe('Looking up 3 tables…');
  });

  it('returns the tables when it is given no query', async () => {
    const tool = new DataLookupTool({ knowledgeDirectory: '' });
    for (const input of [{}, { sql: ' ' }]) {
      expect(await tool.lookUp(input, callContext())).toMatchObject({
        tables: [{ table: 'borders' }, {}, {}, {}],
      });
    }
  });

  it('returns the rows of one statement and reports how many', async () => {
    const tool = new DataLookupTool({ knowledgeDirectory: '' });
    const context = callContext();
    const sql = "SELECT capital FROM countries WHERE name = 'Portugal';";
    expect(await tool.lookUp({ sql }, context)).toMatchObject({ rows: [['Lisbon']] });
    expect(context.updates).toEqual(['Found 1 row']);
    await expect(tool.lookUp({ sql: `${sql} SELECT 2` }, context)).rejects.toThrow('one statement');
  });

  it('refuses a database URL of an unknown kind at its creation', () => {
    expect(() => new DataLookupTool({ knowledgeDirectory: '', lookupDatabaseUrl: 'redis://host' })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    );
  });
});
