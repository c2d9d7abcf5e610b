import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { listHookGraphs } from './hook-graphs.mjs';
import { findPort, PREFIX, startServer } from './server.mjs';
import { runVitest } from './vitest.mjs';

/** The tests of `useStream` in a real browser, for React and for Vue. `address` is the name under which they ask for their server. */
export const reactSuite = hooksSuite('libs/sdk-react', 'src/tests/mock-server.ts', 'protocolV2ServerUrl');
export const vueSuite = hooksSuite('libs/sdk-vue', 'src/tests/fixtures/mock-server.ts', 'serverUrl');

function hooksSuite(folder, mockServer, address) {
  return { folder, needs: mockServer, run: (run) => runHooks({ ...run, mockServer, address }) };
}

async function runHooks({ suite, directory, pattern, mockServer, address }) {
  const graphs = Object.keys(await listHookGraphs(join(suite, mockServer)));
  const pagePort = await findPort();
  const server = await startServer(directory, {
    LANGGRAPH_JSON: writeProject(directory, join(suite, mockServer), graphs),
    // As on a LangGraph server, which hides nothing and accepts everything.
    EXPOSED_TOOLS: graphs.map((name) => `${name}.*`).join(','),
    CONFIGURABLE_KEYS: graphs.map((name) => `${name}.*`).join(','),
    CORS_ORIGINS: `http://localhost:${pagePort}`,
  });
  const provide = { [address]: `http://localhost:${server.port}${PREFIX}` };
  const config = writeConfig(directory, { suite, provide, pagePort });
  try {
    return await runVitest(suite, { directory, pattern, args: [`--config=${config}`] });
  } finally {
    server.process.kill('SIGTERM');
  }
}

/** Writes a langgraph.json with the graphs of the suite. */
function writeProject(directory, mockServer, names) {
  const loader = fileURLToPath(new URL('hook-graphs.mjs', import.meta.url));
  writeFileSync(
    join(directory, 'graphs.mjs'),
    `import { listHookGraphs } from ${JSON.stringify(pathToFileURL(loader).href)};\n` +
      `export const { ${names.join(', ')} } = await listHookGraphs(${JSON.stringify(mockServer)});\n`,
  );
  const file = join(directory, 'langgraph.json');
  const graphs = Object.fromEntries(names.map((name) => [name, `./graphs.mjs:${name}`]));
  writeFileSync(file, JSON.stringify({ node_version: '24', dependencies: ['.'], graphs }));
  return file;
}

/**
 * Writes the suite's own configuration with another server. `CHROME_PATH` and `CHROMEDRIVER_PATH` name an installed browser; otherwise
 * webdriverio downloads one.
 */
function writeConfig(directory, { suite, provide, pagePort }) {
  const file = join(directory, 'vitest.config.mjs');
  const { resolve } = createRequire(join(suite, 'package.json'));
  const { CHROME_PATH: binary, CHROMEDRIVER_PATH: driver } = process.env;
  const capabilities = {
    'goog:chromeOptions': { ...(binary && { binary }), args: ['--no-sandbox', '--disable-dev-shm-usage'] },
    ...(driver && { 'wdio:chromedriverOptions': { binary: driver } }),
  };
  const changes = {
    root: suite,
    cacheDir: join(directory, 'cache'),
    server: { fs: { strict: false } },
    test: {
      globalSetup: [],
      provide,
      typecheck: { enabled: false },
      // This server does not speak WebSocket.
      exclude: ['**/node_modules/**', '**/*.test-d.ts', '**/stream.websocket.test.tsx'],
    },
    browser: { api: { port: pagePort, strictPort: true }, screenshotFailures: false },
  };
  writeFileSync(
    file,
    `import own from ${JSON.stringify(join(suite, 'vitest.config.ts'))};
import { webdriverio } from ${JSON.stringify(resolve('@vitest/browser-webdriverio'))};
const { test, browser, ...changes } = ${JSON.stringify(changes)};
const provider = webdriverio({ capabilities: ${JSON.stringify(capabilities)} });
export default { ...own, ...changes, test: { ...own.test, ...test, browser: { ...own.test.browser, ...browser, provider } } };
`,
  );
  return file;
}
