import { spawn } from 'node:child_process';
import { createServer as createProbe } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** The path of LangGraph's protocols in the standalone app. */
export const PREFIX = '/protocols/langgraph';

/** Starts a build of the standalone app with a suite's graphs. The caller stops `process`. */
export async function startServer(directory, env) {
  const port = await findPort();
  const child = spawn(process.execPath, [join(ROOT, 'dist/main.js')], {
    env: {
      ...process.env,
      PORT: String(port),
      DATA_DIR: join(directory, 'data'),
      STARTS_PER_MINUTE: '100000',
      LOG_LEVEL: 'warn',
      ...env,
    },
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  for (;;) {
    if (child.exitCode !== null) throw new Error(`The server ended with ${child.exitCode}.`);
    const answer = await fetch(`http://127.0.0.1:${port}${PREFIX}/ok`).catch(() => undefined);
    if (answer?.ok) return { process: child, port };
    await new Promise((wait) => setTimeout(wait, 100));
  }
}

export function findPort() {
  return new Promise((found) => {
    const probe = createProbe().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => found(port));
    });
  });
}
