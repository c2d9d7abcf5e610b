import { describe, expect, it } from '@jest/globals';
import { singleStatement, findTables } from './sql.js';

describe('singleStatement', () => {
  it.each([
    ['SELECT 1', 'SELECT 1'],
    ['SELECT 1;', 'SELECT 1'],
    [' SELECT 1 ; -- that is all', 'SELECT 1'],
    ["SELECT ';'", "SELECT ';'"],
    ["SELECT 'it''s; fine'", "SELECT 'it''s; fine'"],
    ['SELECT ";" FROM "a;b"', 'SELECT ";" FROM "a;b"'],
    ['SELECT 1 /* ; */ + 1', 'SELECT 1 /* ; */ + 1'],
    ['SELECT $tag$;$tag$', 'SELECT $tag$;$tag$'],
  ])('takes the SQL %s as one statement', (sql, statement) => {
    expect(singleStatement(sql)).toBe(statement);
  });

  it.each(['SELECT 1; SELECT 2', "SELECT 'a'; DROP TABLE b", 'SELECT 1;;', "SELECT '--'; DELETE FROM a"])(
    'refuses the SQL %s as more than one statement',
    (sql) => {
      expect(() => singleStatement(sql)).toThrow('one statement');
    },
  );

  it.each([';', ' -- nothing', '/* open', ''])('refuses the SQL %p as empty', (sql) => {
    expect(() => singleStatement(sql)).toThrow('empty');
  });
});

describe('findTables', () => {
  it.each<[string, string[]]>([
    ['SELECT * FROM countries', ['countries']],
    [
      'select * from Countries c join languages l on true JOIN borders',
      ['countries', 'languages', 'borders'],
    ],
    ['SELECT * FROM a, b AS x, c', ['a', 'b', 'c']],
    ['SELECT * FROM a WHERE id IN (SELECT id FROM b) UNION SELECT * FROM a', ['a', 'b']],
    ['SELECT * FROM "Order Lines" JOIN sales.orders USING (id)', ['order lines', 'orders']],
    ['WITH big AS (SELECT * FROM a) SELECT * FROM big JOIN b', ['a', 'b']],
    ['WITH RECURSIVE n(x) AS (SELECT 1 UNION SELECT x + 1 FROM n) SELECT * FROM n', []],
    ['WITH m AS NOT MATERIALIZED (SELECT 1) SELECT * FROM m', []],
    ["SELECT ' FROM secret ' -- FROM hidden\n FROM a /* JOIN b */", ['a']],
    ['SELECT * FROM json_each($1)', []],
    ['SELECT 1', []],
    ['SELECT * FROM', []],
  ])('finds the tables of the SQL %s', (sql, tables) => {
    expect(findTables(sql)).toEqual(tables);
  });

  it('takes linear time for hostile text', () => {
    const started = performance.now();
    findTables(`${"'".repeat(3_999)}${'x('.repeat(2_000)}`);
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  it.each(['a(', 'from a,', 'from a.', 'with a(b) as (', "'", '`', '$a$ '])(
    'reads a million characters of SQL from %p in time',
    (piece) => {
      expect(findTables(piece.repeat(1_000_000 / piece.length)).length).toBeLessThan(3);
    },
  );
});
