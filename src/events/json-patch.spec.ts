import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { applyPatch, diffJson, isWholeDocument, type PatchOperation } from './json-patch.js';

const json = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('diffJson and applyPatch', () => {
  it('say the change from any document to any other', () => {
    const document = fc.jsonValue({ maxDepth: 4 }).map(json);
    fc.assert(
      fc.property(document, document, (before, after) => {
        const kept = JSON.stringify(before);
        expect(applyPatch(before, diffJson(before, after))).toEqual(after);
        expect(JSON.stringify(before)).toBe(kept);
      }),
      { numRuns: 1_000 },
    );
  });

  it.each<[string, unknown, unknown, readonly PatchOperation[]]>([
    ['nothing', { a: [1] }, { a: [1] }, []],
    ['an item at the end', { a: [1] }, { a: [1, 2] }, [{ op: 'add', path: '/a/1', value: 2 }]],
    [
      'items taken from the end',
      [1, 2, 3],
      [1],
      [
        { op: 'remove', path: '/2' },
        { op: 'remove', path: '/1' },
      ],
    ],
    ['a name with signs', { 'a/b~c': 1 }, { 'a/b~c': 2 }, [{ op: 'replace', path: '/a~1b~0c', value: 2 }]],
    ['another kind', { a: [] }, { a: {} }, [{ op: 'replace', path: '/a', value: {} }]],
    [
      'what has a name that is refused in paths',
      { a: json({ constructor: { x: 1 } }) },
      { a: json({ constructor: { x: 2 } }) },
      [{ op: 'replace', path: '/a', value: { constructor: { x: 2 } } }],
    ],
  ])('write %s in the operations of RFC 6902', (_, before, after, patch) => {
    expect(diffJson(before, after)).toEqual(patch);
  });

  it('replace what is too deep as a whole', () => {
    const nest = (value: number) => {
      let deep: unknown = value;
      for (let level = 0; level < 1_000; level++) deep = [deep];
      return deep;
    };
    const patch = diffJson(nest(1), nest(2));
    expect(patch).toHaveLength(1);
    expect(JSON.stringify(applyPatch(nest(1), patch))).toBe(JSON.stringify(nest(2)));
  });

  it('change no prototype, whatever the path', () => {
    const value = { polluted: true };
    for (const path of ['/__proto__/polluted', '/__proto__', '/constructor/prototype/polluted'])
      applyPatch({}, [{ op: 'add', path, value }]);
    expect({}).not.toHaveProperty('polluted');
    expect(applyPatch({}, [{ op: 'add', path: '/__proto__/polluted', value }])).toEqual({});
  });

  it('leave alone what is not there', () => {
    const document = { a: [1] };
    for (const path of ['/b/c', '/a/7', '/a/x', '/a/0/b'])
      expect(applyPatch(document, [{ op: 'replace', path, value: 1 }])).toEqual(document);
  });

  it('tell a whole document from a change', () => {
    expect(isWholeDocument([{ op: 'replace', path: '', value: {} }])).toBe(true);
    expect(isWholeDocument([{ op: 'replace', path: '/a', value: {} }])).toBe(false);
    expect(isWholeDocument([])).toBe(false);
  });
});
