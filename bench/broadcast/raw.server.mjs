// Bare node:http: each event serialised once for all readers, and written to each with one `res.write`.
import { createServer } from 'node:http';
import { listen, SSE } from '../servers/listening.mjs';
import { onSpeech, READY } from './speech.mjs';

const readers = new Set();
const toFrame = ({ id, type, data }) => `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`;

onSpeech((events) => {
  for (const event of events) {
    const frame = toFrame(event);
    for (const reader of readers) reader.write(frame);
  }
});

listen(
  createServer((_request, response) => {
    response.writeHead(200, SSE).write(toFrame(READY));
    readers.add(response);
    response.once('close', () => readers.delete(response));
  }),
);
