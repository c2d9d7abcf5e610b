// The floor: bare node:http, no framework, no persistence, no resume, no authentication; one `res.write` per token.
import { createServer } from 'node:http';
import { streamTokens } from './graph-tokens.mjs';
import { listen, promptIn, SSE } from './listening.mjs';

listen(
  createServer(async (request, response) => {
    const prompt = await promptIn(request);
    const left = new AbortController();
    response.once('close', () => left.abort());
    response.writeHead(200, SSE).flushHeaders();
    let id = 0;
    const send = (type, data) =>
      response.write(`id: ${(id += 1)}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`);
    await streamTokens(prompt, (delta) => send('text-delta', { type: 'text-delta', delta }), left.signal);
    send('end', { type: 'end' });
    response.end();
  }),
);
