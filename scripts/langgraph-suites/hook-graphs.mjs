import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createJiti } from 'jiti';

const STAND_IN = join(dirname(fileURLToPath(import.meta.url)), 'stand-in-server.mjs');

/** The packages that the suites' own server is built from. */
const SERVER_PACKAGES = [
  '@langchain/langgraph-api/experimental/embed',
  '@hono/node-server',
  '@hono/node-ws',
  'hono/cors',
  'hono',
];

/**
 * Returns the graphs that a suite's own server would serve, by name. Its file is loaded as it is, with a stand-in for the packages that it makes its
 * server from.
 *
 * @param file the suite's mock-server.ts
 */
export async function listHookGraphs(file) {
  const alias = Object.fromEntries(SERVER_PACKAGES.map((name) => [name, STAND_IN]));
  const jiti = createJiti(file, { alias, fsCache: false, interopDefault: false });
  const served = new Promise((resolve) => {
    globalThis[Symbol.for('langgraph-suites.serve')] = resolve;
  });
  const { setup } = await jiti.import(file);
  await setup({ provide: () => undefined });
  return served;
}
