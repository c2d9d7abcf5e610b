import { describe, expect, it, jest } from '@jest/globals';
import type { Thread } from './run.js';
import { findExcerpt } from './search-excerpt.js';
import { parseSearch } from './search-words.js';
import { findPlaces } from './thread-search.js';

const LONG = 'and so on '.repeat(3_000);

describe('the places that a search has found', () => {
  it('are looked up one by one, with time for other work between them', async () => {
    const thread: Thread = {
      id: 't1',
      owner: { userId: 'alice', tenant: 'acme' },
      title: 'T',
      createdAt: 1,
      updatedAt: 1,
    };
    const items = Array.from({ length: 5 }, (_, index) => ({
      thread,
      texts: { runId: `r${index}`, answer: `${LONG} zebra` },
    }));
    let turns = 0;
    const count = () => {
      turns += 1;
      turn = setImmediate(count);
    };
    let turn = setImmediate(count);
    const page = await findPlaces({ items, nextCursor: 'next' }, parseSearch('zebra'));
    clearImmediate(turn);
    expect(turns).toBeGreaterThanOrEqual(5);
    expect(page.nextCursor).toBe('next');
    expect(page.items.map(({ place }) => [place.runId, place.in, place.marks.length])).toEqual(
      items.map(({ texts }) => [texts.runId, 'answer', 1]),
    );
  });

  it('are not sought behind a place that has all words', () => {
    const terms = parseSearch('zebra lion');
    const asked = jest.spyOn(terms as unknown as unknown[], 'flatMap');
    const found = findExcerpt(`A zebra and a lion, and a zebra. ${LONG} zebra lion`, terms);
    expect(asked.mock.calls.length).toBeLessThan(60);
    expect(found?.count).toBe(2);
    const marked = found?.excerpt.marks.map(({ start, end }) => found.excerpt.text.slice(start, end));
    expect(marked).toEqual(['zebra', 'lion', 'zebra']);
  });
});
