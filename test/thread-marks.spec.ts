import { describe, expect, it } from '@jest/globals';
import { Deeds, obedientAgent } from './security/tainted-servers.js';
import { chatServers } from './support/chat.server.js';

describe('threads of a caller', () => {
  const serve = chatServers();

  it('are renamed to a short title, pinned and archived, and listed accordingly', async () => {
    const server = await serve();
    const { threadId: one } = await server.startRun({ message: 'One' });
    const { threadId: two } = await server.startRun({ message: 'Two' });
    const title = `A name\n${'x'.repeat(100)}`;
    const { status, body } = await server.call('PATCH', `/threads/${one}`, { title, pinned: true });
    expect(status).toBe(200);
    expect(body).toMatchObject({ id: one, title: 'A name', pinned: true });
    await server.call('PATCH', `/threads/${two}`, { archived: true });
    const list = async (query: string) => {
      const { body } = await server.call('GET', `/threads${query}`);
      return (body['items'] as readonly { readonly id: string }[]).map(({ id }) => id);
    };
    expect(await list('')).toEqual([one]);
    expect(await list('?archived=true')).toEqual([two]);
    expect(await list('?pinned=true')).toEqual([one]);
    expect(await list('?pinned=false')).toEqual([]);
    expect((await server.call('GET', '/threads?pinned=yes')).body).toMatchObject({ code: 'REQUEST_INVALID' });
  });

  it('keep the notes of their owner, of which each change replaces those that it names', async () => {
    const server = await serve();
    const { threadId } = await server.startRun({ message: 'One' });
    const change = (metadata: object) => server.call('PATCH', `/threads/${threadId}`, { metadata });
    await change({ color: 'red', at: { page: 1 } });
    expect((await change({ color: 'blue' })).body['metadata']).toEqual({ color: 'blue', at: { page: 1 } });
    const { body } = await server.call('GET', `/threads/${threadId}`);
    expect(body['thread']).toMatchObject({ metadata: { color: 'blue', at: { page: 1 } }, title: 'One' });

    const large = 'x'.repeat(15_000);
    const statuses: number[] = [];
    for (const name of ['a', 'b', 'c', 'd', 'e']) statuses.push((await change({ [name]: large })).status);
    expect(statuses).toEqual([200, 200, 200, 200, 400]);
    // What is replaced takes no further room.
    expect((await change({ a: large })).status).toBe(200);
    expect((await change({ text: 'x'.repeat(70_000) })).status).toBe(400);
  });

  it('refuse a change that is none, an empty title, and a thread that does not exist', async () => {
    const server = await serve();
    const { threadId } = await server.startRun({ message: 'One' });
    for (const body of [{ colour: 'red' }, { title: '  ' }, { read: false }, []])
      expect((await server.call('PATCH', `/threads/${threadId}`, body)).status).toBe(400);
    const { status, body } = await server.call('PATCH', '/threads/b', { pinned: true });
    expect([status, body['code']]).toEqual([404, 'NOT_FOUND']);
  });

  it('show in the inbox what they wait for, until it is answered', async () => {
    const server = await serve(obedientAgent(new Deeds()));
    const { runId } = await server.finishedRun({ message: 'read send' });
    const { body: run } = await server.call('GET', `/runs/${runId}`);
    const { threadId } = run;
    const { body } = await server.call('GET', '/inbox');
    const [item] = body['items'] as readonly Record<string, string>[];
    expect(item).toMatchObject({ kind: 'approval', thread: { id: threadId, title: 'read send' } });
    expect((await server.call('GET', '/threads?waiting=true')).body).toMatchObject({
      items: [{ id: threadId, waiting: true }],
    });
    const answer = `/runs/${item!['runId']}/inputs/${item!['inputId']}`;
    expect((await server.call('POST', answer, { decision: 'deny' })).status).toBe(200);
    expect((await server.call('GET', '/inbox')).body).toEqual({ items: [] });
  });
});
