import { describe, expect, it } from '@jest/globals';
import { checkColumns, collectRows, LOOKUP_LIMITS } from './lookup-result.js';

describe('collectRows', () => {
  it('takes one row more than the limit, to see whether a lookup has more', () => {
    let produced = 0;
    function* rows(): Generator<unknown[]> {
      for (;;) yield [(produced += 1)];
    }
    const result = collectRows(['n'], rows(), { ...LOOKUP_LIMITS, maxRows: 3 });
    expect(result).toEqual({ columns: ['n'], rows: [[1], [2], [3]], truncated: true });
    expect(produced).toBe(4);
  });

  it('stops before the rows of a lookup exceed their maximum of bytes', () => {
    const { rows, truncated } = collectRows(
      ['t'],
      Array.from({ length: 10 }, () => ['x'.repeat(40)]),
      {
        ...LOOKUP_LIMITS,
        maxBytes: 100,
      },
    );
    expect(rows).toHaveLength(2);
    expect(truncated).toBe(true);
  });

  it('converts the values of a lookup to what JSON can carry', () => {
    const values = [1n, 2n ** 60n, new Uint8Array(3), null, 'long text'];
    const { rows } = collectRows(['a', 'b', 'c', 'd', 'e'], [values], { ...LOOKUP_LIMITS, maxCellLength: 4 });
    expect(rows).toEqual([[1, '1152921504606846976', '<3 bytes>', null, 'long…']]);
  });
});

describe('checkColumns', () => {
  it('refuses two columns of the same name', () => {
    expect(() => checkColumns(['name', 'code', 'name'])).toThrow("'name'");
    expect(() => checkColumns(['name', 'code'])).not.toThrow();
  });
});
