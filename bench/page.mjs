// `npm run bench -- page`: the chat page on a slow phone, in Chromium (CHROMIUM_PATH). Exits with 1 when a budget is exceeded.
import { startChatPage } from './support/chat-page.mjs';
import { number, report } from './support/report.mjs';
import { median } from './support/statistics.mjs';

// The slow 4G of Lighthouse, and a phone that computes four times slower than this machine.
const NETWORK = { offline: false, latency: 150, downloadThroughput: 1.6e6 / 8, uploadThroughput: 750e3 / 8 };
const CPU_RATE = 4;
const ROUNDS = 5;
const LONG_MS = 50;
const FROZEN_MS = 200;

/** Upper bounds. Sizes are in bytes, times in milliseconds. */
const BUDGET = { coldBytes: 200_000, coldMs: 2_500, warmBytes: 30_000, longestMs: FROZEN_MS };

const FLOODS = {
  '5,000 tokens': {
    text: Array.from({ length: 5_000 }, (_, word) => `word${word}${word % 80 === 79 ? '.\n\n' : ' '}`),
    isDrawn: () => document.querySelector('.assistant .text')?.textContent.includes('word4999'),
  },
  'a table of 1,000 rows': {
    text: [
      `| a | b | c | d |\n|--|--|--|--|\n${times(1_000, (row) => `| ${row} | some *words* | 12 | x |\n`)}`,
    ],
    isDrawn: () => document.querySelectorAll('.assistant tbody tr').length >= 1_000,
  },
  '5,000 lines of code': {
    text: [
      `\`\`\`js\n${times(5_000, (line) => `const value${line} = compute(${line}, 'text'); // why\n`)}\`\`\`\n`,
    ],
    isDrawn: () => document.querySelector('.assistant pre')?.textContent.includes('value4999'),
  },
};

const { origin, browser, close } = await startChatPage(talk);

// The server compresses a file when it is asked for it for the first time.
await measureLoads();
const loads = [];
for (let round = 0; round < ROUNDS; round += 1) loads.push(await measureLoads());
const floods = [];
for (const [name, flood] of Object.entries(FLOODS)) floods.push([name, await measureFlood(name, flood)]);
await close();

const [cold, warm] = ['cold', 'warm'].map((kind) => {
  const visits = loads.map((each) => each[kind]);
  const middle = (name) => median(visits.map((visit) => visit[name]));
  return {
    requests: middle('requests'),
    bytes: middle('bytes'),
    paintMs: middle('paintMs'),
    usableMs: middle('usableMs'),
  };
});
const longestMs = Math.max(...floods.map(([, { longest }]) => longest));
const exceeded = [
  ['cold bytes', cold.bytes, BUDGET.coldBytes],
  ['warm bytes', warm.bytes, BUDGET.warmBytes],
  ['cold time until usable, ms', cold.usableMs, BUDGET.coldMs],
  ['longest task, ms', longestMs, BUDGET.longestMs],
].filter(([, value, most]) => value > most);

report('page', {
  title: 'The chat page on a slow phone',
  intro:
    `Chromium with ${NETWORK.latency} ms of latency, 1.6 Mbit/s and a processor ${CPU_RATE} times slower than this one; medians of ${ROUNDS} rounds. Usable: ` +
    'from the navigation until the composer takes a question. Bytes: all that came, with the heads of the replies.',
  tables: [
    {
      caption: 'Opening',
      columns: ['visit', 'requests', 'kB', 'first paint, ms', 'usable, ms'],
      rows: [
        ['the first', cold],
        ['again', warm],
      ].map(([name, { requests, bytes, paintMs, usableMs }]) => [
        name,
        number(requests),
        number(bytes / 1_000, 1),
        number(paintMs),
        number(usableMs),
      ]),
    },
    {
      caption: 'A burst: all of it at once, until it is drawn',
      columns: ['what comes', 'ms', 'CPU, ms', `tasks > ${LONG_MS} ms`, `> ${FROZEN_MS} ms`, 'longest, ms'],
      rows: floods.map(([name, { ms, cpuMs, long, frozen, longest }]) => [
        name,
        ...[ms, cpuMs, long, frozen, longest].map((value) => number(value)),
      ]),
    },
  ],
  notes: [
    `Budget: ${number(BUDGET.coldBytes / 1_000)} kB and ${number(BUDGET.coldMs)} ms until usable at the first visit, ${number(BUDGET.warmBytes / 1_000)} kB ` +
      `at the next, and no task above ${number(BUDGET.longestMs)} ms.`,
    ...exceeded.map(
      ([name, value, most]) => `**Exceeded:** ${name}: ${number(value)}, at most ${number(most)}.`,
    ),
  ],
});
if (exceeded.length > 0) process.exitCode = 1;

/** Emits each piece as a token, as fast as it can. */
function talk({ message }, { emit, messageId, attempt }) {
  const part = { partId: 'p', stepId: 's', messageId };
  emit({ type: 'step-start', stepId: 's', name: 'answer', attempt });
  emit({ type: 'text-start', ...part });
  for (const delta of FLOODS[message].text) emit({ type: 'text-delta', partId: 'p', delta });
  emit({ type: 'text-end', partId: 'p' });
  emit({ type: 'step-end', stepId: 's', name: 'answer', attempt });
}

/** A first visit and one after it, with the same cache. */
async function measureLoads() {
  const context = await browser.newContext({ viewport: { width: 412, height: 823 } });
  const cold = await visit(context);
  const warm = await visit(context);
  await context.close();
  return { cold, warm };
}

async function visit(context) {
  const page = await context.newPage();
  const session = await slowDown(page);
  const traffic = { requests: 0, bytes: 0 };
  session.on('Network.loadingFinished', ({ encodedDataLength }) => {
    traffic.requests += encodedDataLength > 0 ? 1 : 0;
    traffic.bytes += encodedDataLength;
  });
  await page.goto(origin, { waitUntil: 'commit' });
  const usableMs = await page.evaluate(async () => {
    while (!document.querySelector('#question')) await new Promise((resolve) => setTimeout(resolve, 5));
    return performance.now();
  });
  // What is loaded after that counts as well.
  await page.waitForLoadState('networkidle');
  const paintMs = await page.evaluate(
    () => performance.getEntriesByName('first-contentful-paint')[0]?.startTime,
  );
  await page.close();
  return { ...traffic, paintMs, usableMs };
}

async function measureFlood(name, { isDrawn }) {
  const context = await browser.newContext({ viewport: { width: 412, height: 823 } });
  const page = await context.newPage();
  await page.goto(origin, { waitUntil: 'networkidle' });
  const session = await slowDown(page);
  await page.evaluate(() => {
    globalThis.tasks = [];
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) globalThis.tasks.push(duration);
    }).observe({ type: 'longtask' });
  });
  const cpuBefore = await readCpuMs(session);
  const startedAt = performance.now();
  await page.locator('#question').fill(name);
  await page.locator('#question').press('Enter');
  await page.waitForFunction(isDrawn, undefined, { timeout: 120_000, polling: 100 });
  await page
    .locator('.assistant[data-status=completed]:not(:has([data-writing]))')
    .waitFor({ timeout: 120_000 });
  const ms = performance.now() - startedAt;
  const cpuMs = (await readCpuMs(session)) - cpuBefore;
  const tasks = await page.evaluate(() => globalThis.tasks);
  await context.close();
  return {
    ms,
    cpuMs,
    long: tasks.filter((task) => task > LONG_MS).length,
    frozen: tasks.filter((task) => task > FROZEN_MS).length,
    longest: Math.max(0, ...tasks),
  };
}

async function slowDown(page) {
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  await session.send('Network.emulateNetworkConditions', NETWORK);
  await session.send('Emulation.setCPUThrottlingRate', { rate: CPU_RATE });
  await session.send('Performance.enable');
  return session;
}

/** Milliseconds for which the page's main thread has worked. */
async function readCpuMs(session) {
  const { metrics } = await session.send('Performance.getMetrics');
  return metrics.find(({ name }) => name === 'TaskDuration').value * 1_000;
}

function times(count, write) {
  return Array.from({ length: count }, (_, index) => write(index)).join('');
}
