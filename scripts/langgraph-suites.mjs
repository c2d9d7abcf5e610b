import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { apiSuite, authSuite, streamSdkSuite } from './langgraph-suites/api-suites.mjs';
import { reactSuite, vueSuite } from './langgraph-suites/hooks-suite.mjs';

// npm run test:langgraph -- <checkout> [api] [auth] [stream-sdk] [react] [vue] [name of a test]: runs LangGraph's own tests against this server,
// with their graphs. Without the name of a suite, all of them. Build first. <checkout> is a built checkout of langchain-ai/langgraphjs. Nothing is written there.

const SUITES = {
  api: apiSuite,
  auth: authSuite,
  'stream-sdk': streamSdkSuite,
  react: reactSuite,
  vue: vueSuite,
};

const [checkout, ...rest] = process.argv.slice(2);
const named = rest.filter((name) => name in SUITES);
const [pattern] = rest.filter((name) => !(name in SUITES));
const names = named.length > 0 ? named : Object.keys(SUITES);
const isThere = ({ folder, needs }) => existsSync(resolve(checkout ?? '', folder, needs));
if (checkout === undefined || !names.every((name) => isThere(SUITES[name]))) {
  console.error(
    'Say where a checkout of langchain-ai/langgraphjs is:\n\n' +
      '  git clone --depth 1 https://github.com/langchain-ai/langgraphjs && cd langgraphjs && pnpm install && pnpm build\n' +
      `  npm run build && npm run test:langgraph -- <path of the checkout> [${Object.keys(SUITES).join('] [')}]`,
  );
  process.exit(1);
}

for (const name of names) {
  const { folder, run, leavesOut } = SUITES[name];
  const directory = mkdtempSync(join(tmpdir(), 'langgraph-suites-'));
  try {
    console.log(`\n${name}\n`);
    report(await run({ suite: resolve(checkout, folder), directory, pattern }), leavesOut);
  } finally {
    rmSync(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}

function report({ testResults }, leavesOut) {
  const results = testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ ancestorTitles }) => !ancestorTitles.includes(leavesOut));
  const ran = results.filter(({ status }) => status === 'passed' || status === 'failed');
  for (const { fullName, status, failureMessages } of ran) {
    const reason = stripVTControlCharacters(failureMessages[0] ?? '').replaceAll(/\s+/g, ' ');
    console.log(
      `${status === 'passed' ? 'ok    ' : 'FAILED'} ${fullName}${reason && `: ${reason.slice(0, 240)}`}`,
    );
  }
  const passed = ran.filter(({ status }) => status === 'passed').length;
  console.log(`\n${passed} of ${ran.length} tests pass.`);
}
