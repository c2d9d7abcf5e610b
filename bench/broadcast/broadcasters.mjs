// The servers that tell many readers the same, ours and our peers', by one interface.
//
//   const server = await startBroadcaster(name, directory)   a server as support/server.process.mjs has it, and
//       server.label, server.path                              where its readers connect
//       server.speak({ bursts, size, everyMs })
//   await startProductBroadcaster({ directory, build?, name?, label? })   ours alone, of another build
//   BROADCASTERS                                             all names, ours first, `raw` second
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startProduct } from '../support/product.mjs';
import { startServer } from '../support/server.process.mjs';

const toPath = (file) => fileURLToPath(new URL(file, import.meta.url));

const LABELS = {
  ours: 'ours (one run, from its log)',
  raw: 'raw: node:http, `res.write` per event',
  'nest-sse': 'stock Nest @Sse',
  'better-sse': 'better-sse',
  hono: 'Hono streamSSE',
};

export const BROADCASTERS = Object.keys(LABELS);

export async function startBroadcaster(name, directory) {
  if (name === 'ours') return startProductBroadcaster({ directory: join(directory, name) });
  return describe(await startPeer(name), { name, label: LABELS[name] });
}

export async function startProductBroadcaster({ directory, build, name = 'ours', label = LABELS.ours }) {
  return describe(await startOurs(directory, build), { name, label });
}

function describe(server, { name, label }) {
  return { ...server, name, label, speak: (speech) => server.tell({ speech }) };
}

async function startPeer(name) {
  const server = await startServer({
    name,
    entry: toPath(`./${name}.server.mjs`),
    execArgv: ['--expose-gc'],
  });
  return { ...server, path: '/events' };
}

async function startOurs(directory, build) {
  await mkdir(directory, { recursive: true });
  const env = { AGENTS: `broadcast=${toPath('./agent.mjs')}#graph` };
  const server = await startProduct({ directory, env, execArgv: ['--expose-gc'], build });
  const response = await fetch(`${server.url}/api/chat/runs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ message: 'Speak.', agent: 'broadcast' }),
  });
  if (response.status !== 202) throw new Error(`The run was not started: ${await response.text()}`);
  const { runId } = await response.json();
  const path = `/api/chat/runs/${runId}/events`;
  await hasBegun(`${server.url}${path}`);
  return { ...server, path };
}

/** Until its step has started, nobody listens to what it is told. */
async function hasBegun(url) {
  const left = new AbortController();
  const { body } = await fetch(url, { signal: left.signal });
  let heard = '';
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    heard += text;
    if (heard.includes('event: step-start')) break;
  }
  left.abort();
}
