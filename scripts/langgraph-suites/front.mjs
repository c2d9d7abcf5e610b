import { createServer, request } from 'node:http';
import { PREFIX } from './server.mjs';

/**
 * Starts a server with the routes where the suites look for them.
 *
 * @param truncate empties the server before tests, as far as they ask for it
 * @param toHeaders returns the headers that go to the server instead of a call's own
 */
export async function startFront(port, { truncate, toHeaders }) {
  const front = createServer((incoming, outgoing) => {
    if (incoming.url === '/internal/truncate') {
      void emptyAsAsked(incoming, truncate, port).then(
        () => outgoing.end('{}'),
        (error) => outgoing.writeHead(500).end(String(error)),
      );
      return;
    }
    const { method, headers } = incoming;
    const options = { port, host: '127.0.0.1', path: PREFIX + incoming.url, method };
    const sent = { ...toHeaders(headers), host: `127.0.0.1:${port}` };
    const passed = request({ ...options, headers: sent }, (reply) => {
      outgoing.writeHead(reply.statusCode ?? 502, reply.headers);
      reply.pipe(outgoing);
    });
    passed.on('error', () => outgoing.destroy());
    outgoing.on('close', () => passed.destroy());
    incoming.pipe(passed);
  });
  await new Promise((listening) => front.listen(0, '127.0.0.1', listening));
  return front;
}

async function emptyAsAsked(incoming, truncate, port) {
  const chunks = await incoming.toArray();
  await truncate(port, JSON.parse(Buffer.concat(chunks).toString()));
}

/** Deletes all threads, assistants and items of the store, of those that the flags name. */
export async function truncateByFlags(port, { threads, assistants, store }) {
  const call = async (method, path, body) => {
    const headers = { 'content-type': 'application/json' };
    const reply = await fetch(`http://127.0.0.1:${port}${PREFIX}${path}`, {
      method,
      ...(body && { headers, body: JSON.stringify(body) }),
    });
    if (!reply.ok) throw new Error(`${method} ${path}: ${await reply.text()}`);
    return reply.status === 204 ? undefined : reply.json();
  };
  const empty = async (search, remove) => {
    for (;;) {
      const found = await search();
      if (found.length === 0) return;
      await Promise.all(found.map(remove));
    }
  };
  if (threads)
    await empty(
      () => call('POST', '/threads/search', { limit: 100, select: ['thread_id'] }),
      ({ thread_id }) => call('DELETE', `/threads/${thread_id}`),
    );
  if (assistants)
    await empty(
      async () => {
        const found = await call('POST', '/assistants/search', { limit: 100 });
        // Agents are assistants too, and stay.
        return found.filter(({ metadata }) => metadata.created_by !== 'system');
      },
      ({ assistant_id }) => call('DELETE', `/assistants/${assistant_id}`),
    );
  if (store)
    await empty(
      async () => (await call('POST', '/store/items/search', { limit: 100, namespace_prefix: [] })).items,
      ({ namespace, key }) => call('DELETE', '/store/items', { namespace, key }),
    );
}
