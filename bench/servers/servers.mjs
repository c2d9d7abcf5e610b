// The servers that stream the scripted agent, ours and our peers', by one interface.
//
//   const servers = await startServers(names, directory)    [{ name, label, url, usage, stop, ask(script) }] in this order
//   SERVERS                                                 all names, ours first
//   ask({ tokens, paceMs })                                 the request for support/load.mjs
import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startPostgres } from '../support/postgres.mjs';
import { askProduct, startProduct } from '../support/product.mjs';
import { toPrompt } from '../support/scripted.model.mjs';
import { startServer } from '../support/server.process.mjs';

const AGENT = fileURLToPath(new URL('../support/agent.mjs', import.meta.url));
const toPath = (file) => fileURLToPath(new URL(file, import.meta.url));

const KINDS = {
  ours: {
    label: 'ours (SQLite, resumable)',
    start: (directory) => startProduct({ directory }),
    ask: askProduct,
  },
  'ours-postgres': {
    label: 'ours (PostgreSQL, resumable)',
    start: startOnPostgres,
    ask: askProduct,
  },
  floor: {
    label: 'floor: node:http, nothing kept',
    start: () => startServer({ name: 'floor', entry: toPath('./floor.server.mjs') }),
    ask: askByPrompt,
  },
  'nest-sse': {
    label: 'stock Nest @Sse',
    start: () => startServer({ name: 'nest-sse', entry: toPath('./nest-sse.server.mjs') }),
    ask: (url, script) => ({ ...askByPrompt(url, script), url: `${url}/tokens` }),
  },
  'ai-sdk': {
    label: 'AI SDK streamText (no LangGraph)',
    start: () => startServer({ name: 'ai-sdk', entry: toPath('./ai-sdk.server.mjs') }),
    ask: askByPrompt,
  },
  'langgraph-dev': {
    label: 'LangGraph dev server',
    start: (directory) =>
      startServer({
        name: 'langgraph-dev',
        entry: toPath('./langgraph-dev.server.mjs'),
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
        input: { messages: [{ role: 'user', content: toPrompt(script) }] },
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

/** Its database's CPU is counted apart: `usage` has it as `databaseCpuMs`. */
async function startOnPostgres(directory) {
  const database = await startPostgres();
  const server = await startProduct({ directory, env: { DATABASE_URL: database.url } });
  return {
    ...server,
    get url() {
      return server.url;
    },
    usage: async (options) => ({ ...(await server.usage(options)), databaseCpuMs: await database.cpuMs() }),
    stop: async () => {
      await server.stop();
      await database.stop();
    },
  };
}

function askByPrompt(url, script) {
  return { url, body: { prompt: toPrompt(script) } };
}
