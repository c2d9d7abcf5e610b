// What an answer of a thousand events costs at least: bare node:http, the frames made beforehand and written at once. Shows what the
// machine does beside us, too.
import { createServer } from 'node:http';
import { listen, SSE } from '../servers/listening.mjs';

const EVENTS = 1_000;
const frames = Array.from({ length: EVENTS }, (_, index) => {
  const data = {
    type: 'text-delta',
    partId: 'p1',
    delta: `${index === 0 ? '' : '^'}word word word word word`,
  };
  return `id: run.1.${index + 1}\nevent: text-delta\ndata: ${JSON.stringify(data)}\n\n`;
}).join('');

listen(createServer((_request, response) => response.writeHead(200, SSE).end(frames)));
