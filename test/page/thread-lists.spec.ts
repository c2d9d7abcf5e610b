import { afterEach, describe, expect, it } from '@jest/globals';
import { until } from '../support/until.js';

interface Threads {
  readonly items: readonly { readonly id: string; readonly archived: boolean }[];
  refresh(): Promise<void>;
  change(id: string, change: object): Promise<unknown>;
}

// The page's modules are plain JavaScript; a URL keeps the compiler from asking for their types.
const module = new URL('../../web/chat/threads.js', import.meta.url).href;

describe('the lists of conversations', () => {
  const page = globalThis as { document?: unknown };
  afterEach(() => void delete page.document);

  it('are read once more when a conversation is changed while they are read', async () => {
    // Visible, so that it waits for no time.
    page.document = { hidden: false, addEventListener: () => undefined };
    const { Threads } = (await import(module)) as { Threads: new (chat: object, events: object) => Threads };
    let isArchived = false;
    const held = Promise.withResolvers<void>();
    let readings = 0;
    const chat = {
      threads: async (query: { readonly archived?: boolean }) => {
        if (query.archived === undefined) return { items: [] };
        // As it is when the reading begins, however late it arrives.
        const items = isArchived ? [] : [{ id: 't1', updatedAt: 1 }];
        if ((readings += 1) === 1) await held.promise;
        return { items };
      },
      changeThread: async () => {
        isArchived = true;
        return { id: 't1', updatedAt: 1, archived: true };
      },
    };
    const threads = new Threads(chat, { onChange: () => undefined, follows: () => false });
    const first = threads.refresh();
    await until(() => readings === 1);
    const changed = threads.change('t1', { archived: true });
    await until(() => isArchived);
    held.resolve();
    await Promise.all([first, changed]);
    expect(threads.items).toEqual([]);
    expect(readings).toBe(2);
  });
});
