import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findPort, PREFIX, startServer } from '../langgraph-suites/server.mjs';

/** Starts the page of a built checkout. The caller stops `process`. */
export async function startPage(checkout) {
  const port = await findPort();
  const next = createRequire(join(checkout, 'package.json')).resolve('next/dist/bin/next');
  const child = spawn(process.execPath, [next, 'start', '-H', '127.0.0.1', '-p', String(port)], {
    cwd: checkout,
    env: { ...process.env, NEXT_TELEMETRY_DISABLED: '1' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const origin = `http://127.0.0.1:${port}`;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`The page ended with ${child.exitCode}.`);
    const answer = await fetch(origin).catch(() => undefined);
    if (answer?.ok) return { process: child, origin };
    await new Promise((wait) => setTimeout(wait, 100));
  }
}

/** Starts a build of this server with the graphs that the pages talk to. The caller stops `process`. */
export async function startPageServer(directory, origin) {
  const graphs = fileURLToPath(new URL('graphs.mjs', import.meta.url));
  const file = join(directory, 'langgraph.json');
  writeFileSync(
    file,
    JSON.stringify({
      graphs: Object.fromEntries(['agent', 'deep', 'notes'].map((name) => [name, `${graphs}:${name}`])),
    }),
  );
  const { process: child, port } = await startServer(directory, {
    LANGGRAPH_JSON: file,
    EXPOSED_TOOLS: 'agent.*,deep.*',
    STATE_CHANGES: 'agent,deep,notes',
    STATE_HISTORY: 'deep',
    AGENT_ACCEPTS: 'agent.image/*,agent.application/pdf',
    // Agent Chat UI leaves a run that it cancels to itself.
    THREAD_BUSY: 'queue',
    CORS_ORIGINS: origin,
  });
  return { process: child, apiUrl: `http://127.0.0.1:${port}${PREFIX}` };
}
