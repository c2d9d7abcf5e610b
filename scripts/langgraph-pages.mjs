import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { chromium } from 'playwright-core';
import { driveAgentChat } from './langgraph-pages/agent-chat.mjs';
import { driveDeepAgents } from './langgraph-pages/deep-agents.mjs';
import { Checks } from './langgraph-pages/checks.mjs';
import { startPage, startPageServer } from './langgraph-pages/servers.mjs';

// npm run test:langgraph-pages -- <checkout> [<folder for pictures>]: uses LangChain's own pages for LangGraph's servers against this one, in Chromium,
// as a person would. Build first. <checkout> is a built checkout of langchain-ai/agent-chat-ui or langchain-ai/deep-agents-ui, unchanged.

const PAGES = { 'agent-chat-ui': driveAgentChat, 'deep-agents-ui': driveDeepAgents };

const [checkout, pictures] = process.argv.slice(2);
const isBuilt = checkout !== undefined && existsSync(resolve(checkout, '.next/BUILD_ID'));
if (!isBuilt) {
  console.error(
    'Say where a built checkout is:\n\n' +
      '  git clone --depth 1 https://github.com/langchain-ai/agent-chat-ui && cd agent-chat-ui && pnpm install && pnpm build\n' +
      '  npm run build && npm run test:langgraph-pages -- <path of the checkout>',
  );
  process.exit(1);
}
const { name } = JSON.parse(readFileSync(resolve(checkout, 'package.json'), 'utf8'));
if (!(name in PAGES)) throw new Error(`'${name}' is none of ${Object.keys(PAGES).join(', ')}.`);
if (pictures !== undefined) mkdirSync(pictures, { recursive: true });

const directory = mkdtempSync(join(tmpdir(), 'langgraph-pages-'));
const stops = [];
try {
  const page = await startPage(resolve(checkout));
  stops.push(() => page.process.kill('SIGTERM'));
  const server = await startPageServer(directory, page.origin);
  stops.push(() => server.process.kill('SIGTERM'));
  const browser = await chromium.launch({
    executablePath: process.env['CHROME_PATH'],
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  });
  stops.push(() => browser.close());
  const tab = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  const checks = new Checks(tab, pictures);
  await PAGES[name]({ tab, checks, origin: page.origin, apiUrl: server.apiUrl });
  process.exitCode = checks.report();
} finally {
  for (const stop of stops.toReversed()) await stop();
  rmSync(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}
