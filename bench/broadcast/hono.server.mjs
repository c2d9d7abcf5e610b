// Hono's streamSSE on its node server.
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { streamSSE } from 'hono/streaming';
import { onSpeech, READY } from './speech.mjs';

const readers = new Set();
const toMessage = ({ id, type, data }) => ({ id, event: type, data: JSON.stringify(data) });

onSpeech((events) => {
  for (const message of events.map(toMessage)) {
    for (const reader of readers) void reader.writeSSE(message);
  }
});

const app = new Hono();
app.get('/events', (context) =>
  streamSSE(context, async (reader) => {
    const left = new Promise((resolve) => reader.onAbort(resolve));
    await reader.writeSSE(toMessage(READY));
    readers.add(reader);
    await left;
    readers.delete(reader);
  }),
);

serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) =>
  process.stdout.write(`PORT ${port}\n`),
);
