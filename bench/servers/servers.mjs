// The servers that stream the scripted agent, ours and our peers', by one interface.
//
//   const servers = await startServers(names, directory)    [{ name, label, url, usage, stop, ask(script) }] in this order
//   SERVERS                                                 all names, ours first
//   ask({ tokens, paceMs })                                 the request for support/load.mjs
import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { askProduct, startProduct } from '../support/product.mjs';
import { promptOf } from '../support/scripted.model.mjs';
import { startServer } from '../support/server.process.mjs';

const AGENT = fileURLToPath(new URL('../support/agent.mjs', import.meta.url));
const pathOf = (file) => fileURLToPath(new URL(file, import.meta.url));

const KINDS = {
  ours: {
    label: 'ours (SQLite, resumable)',
    start: (directory) => startProduct({ directory }),
    ask: askProduct,
  },
  floor: {
    label: 'floor: node:http, nothing kept',
    start: () => startServer({ name: 'floor', entry: pathOf('./floor.server.mjs') }),
    ask: askByPrompt,
  },
  'nest-sse': {
    label: 'stock Nest @Sse',
    start: () => startServer({ name: 'nest-sse', entry: pathOf('./nest-sse.server.mjs') }),
    ask: (url, script) => ({ ...askByPrompt(url, script), url: `${url}/tokens` }),
  },
  'ai-sdk': {
    label: 'AI SDK streamText (no LangGraph)',
    start: () => startServer({ name: 'ai-sdk', entry: pathOf('./ai-sdk.server.mjs') }),
    ask: askByPrompt,
  },
  'langgraph-dev': {
    label: 'LangGraph dev server',
    start: (directory) =>
      startServer({
        name: 'langgraph-dev',
        entry: pathOf('./langgraph-dev.server.mjs'),
        args: [directory, `${AGENT}:graph`],
        env: { LOG_JSON: 'true', LOG_LEVEL: 'info', NODE_ENV: 'development' },
      }),
    // What our streams are as well: in a thread that is kept, and resumable.
    ask: (url, script) => ({
      url: `${url}/threads/${randomUUID()}/runs/stream`,
      body: {
        assistant_id: 'bench',
        if_not_exists: 'create',
        stream_resumable: true,
        input: { messages: [{ role: 'user', content: promptOf(script) }] },
        stream_mode: ['messages-tuple'],
      },
    }),
  },
};

export const SERVERS = Object.keys(KINDS);

export async function startServers(names, directory) {
  const servers = [];
  for (const name of names) {
    const { label, start, ask } = KINDS[name];
    const own = join(directory, name);
    await mkdir(own, { recursive: true });
    const server = await start(own);
    servers.push({ ...server, name, label, ask: (script) => ask(server.url, script) });
  }
  return servers;
}

function askByPrompt(url, script) {
  return { url, body: { prompt: promptOf(script) } };
}
