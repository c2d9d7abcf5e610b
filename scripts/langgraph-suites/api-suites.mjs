import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startFront, truncateByFlags } from './front.mjs';
import { startServer } from './server.mjs';
import { addClaims, readTokenSettings } from './signed-tokens.mjs';
import { runVitest } from './vitest.mjs';

/** The tests of LangGraph's API server. */
export const apiSuite = serverSuite('tests/api.test.mts', {
  project: (suite) => join(suite, 'tests/graphs/langgraph.json'),
  address: 'http://localhost:2024',
  // Keys beside those of its output, which LangGraph shows as well.
  settings: () => ({ EXPOSED_STATE: 'agent.keyOne,agent.keyTwo,agent.sharedStateFromStoreConfig' }),
});

/** The tests of its authorization. */
export const authSuite = serverSuite('tests/auth.test.mts', {
  project: (suite) => join(suite, 'tests/graphs/langgraph.auth.json'),
  address: 'http://localhost:2025',
  settings: readTokenSettings,
  toHeaders: addClaims,
  // The server is new when the suite begins, which is the only time that it asks for this.
  truncate: () => Promise.resolve(),
  // They test a function, and no server.
  leavesOut: 'auth filter matching',
});

/** The tests of the event protocol. They mount LangGraph's server in their own process: one that passes all calls on takes its place. */
export const streamSdkSuite = serverSuite('tests/protocol-v2/stream-sdk.test.mts', {
  project: writeProject,
  config: writeConfig,
});

/**
 * @param project returns the suite's langgraph.json
 * @param address the address that the tests have written down. Their calls are sent to another port: this one may be taken
 * @param settings returns further settings, from the file of the tests
 * @param config returns the file of another configuration of vitest
 */
function serverSuite(test, { project, address, settings, toHeaders, truncate, config, leavesOut }) {
  const run = async ({ suite, directory, pattern }) => {
    const file = join(suite, test);
    const json = project(suite, directory);
    const server = await startServer(directory, { ...readSettings(json), ...settings?.(file) });
    const front = await startFront(server.port, {
      truncate: truncate ?? truncateByFlags,
      toHeaders: toHeaders?.(file) ?? ((headers) => headers),
    });
    const origin = `http://127.0.0.1:${front.address().port}`;
    const { CI: _, ...env } = process.env;
    try {
      return await runVitest(suite, {
        directory,
        pattern,
        args: [test, ...(config ? [`--config=${config(suite, directory, origin)}`] : [])],
        env: { ...env, ...(address && { NODE_OPTIONS: `--import ${redirect(address, origin)}` }) },
      });
    } finally {
      front.close();
      server.process.kill('SIGTERM');
    }
  };
  return { folder: 'libs/langgraph-api', needs: test, run, leavesOut };
}

/** Returns settings that hide nothing and accept everything, as a LangGraph server does. */
function readSettings(json) {
  const names = Object.keys(JSON.parse(readFileSync(json, 'utf8')).graphs);
  const ofEach = (...keys) => names.flatMap((name) => keys.map((key) => `${name}.${key}`)).join(',');
  return {
    LANGGRAPH_JSON: json,
    STATE_CHANGES: names.join(','),
    STATE_HISTORY: names.join(','),
    EXPOSED_TOOLS: ofEach('*'),
    EXPOSED_ERRORS: names.join(','),
    // Those of the tests. `*` does not stand for user_id.
    CONFIGURABLE_KEYS: ofEach('user_id', 'model_name', 'nodeName', 'foo'),
  };
}

/** Writes a langgraph.json with the graphs that the tests of the event protocol mount. */
function writeProject(suite, directory) {
  const names = ['agent', 'agent_with_tools', 'agent_with_stats'];
  const path = (name) => join(suite, `tests/graphs/${name}.mts:graph`);
  const file = join(directory, 'langgraph.json');
  writeFileSync(
    file,
    JSON.stringify({ graphs: Object.fromEntries(names.map((name) => [name, path(name)])) }),
  );
  return file;
}

/** Returns a module that sends calls of an address to another. */
function redirect(address, origin) {
  const program = `
    const { fetch } = globalThis;
    const move = (url) => url.replace('${address}', '${origin}');
    globalThis.fetch = (target, init) =>
      fetch(target instanceof Request ? new Request(move(target.url), target) : move(String(target)), init);`;
  return `data:text/javascript,${encodeURIComponent(program)}`;
}

/** Writes a configuration of vitest in which LangGraph's embedded server is one that passes all calls on. */
function writeConfig(suite, directory, origin) {
  const id = JSON.stringify(join(suite, 'tests/stand-in.mjs'));
  const program = `
    import { Hono } from 'hono';
    const pass = ({ req }) => {
      const { pathname, search } = new URL(req.url);
      const { method, headers, body, signal } = req.raw;
      return fetch('${origin}' + pathname + search, { method, headers, body, signal, duplex: 'half' });
    };
    export const createEmbedServer = () => new Hono().all('*', pass);`;
  const file = join(directory, 'vitest.config.mjs');
  writeFileSync(
    file,
    `export default {
      root: ${JSON.stringify(suite)},
      cacheDir: ${JSON.stringify(join(directory, 'cache'))},
      test: { testTimeout: 30_000 },
      plugins: [{
        name: 'stand-in',
        enforce: 'pre',
        resolveId: (source) => (source.endsWith('/experimental/embed.mjs') ? ${id} : undefined),
        load: (id) => (id === ${id} ? ${JSON.stringify(program)} : undefined),
      }],
    };`,
  );
  return file;
}
