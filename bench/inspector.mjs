// `npm run bench -- inspector`: opening and scrolling the log of a long run in Chromium (CHROMIUM_PATH).
import { startChatPage } from './support/chat-page.mjs';
import { number, report } from './support/report.mjs';
import { median } from './support/statistics.mjs';

const EVENTS = [1_000, 10_000, 30_000];
const ROUNDS = 5;
const SCROLL_FRAMES = 120;

const { origin, browser, close } = await startChatPage(talk, { maxToolCalls: 1_000 });

const rows = [];
for (const events of EVENTS) {
  const runId = await makeRun(events);
  const samples = [];
  for (let round = 0; round < ROUNDS; round += 1) samples.push(await measure(`${origin}/runs/${runId}`));
  rows.push([
    number(events),
    number(median(samples.map(({ openMs }) => openMs))),
    number(median(samples.map(({ frameMs }) => frameMs)), 1),
    number(median(samples.map(({ longFrames }) => longFrames))),
    number(median(samples.map(({ seekMs }) => seekMs)), 1),
  ]);
}
await close();

report('inspector', {
  title: 'The inspector with a long log',
  intro:
    `Opening: from the navigation, with a warm cache, until the timeline and the events are drawn. Scrolling: ${SCROLL_FRAMES} frames of 480 pixels through the list. ` +
    'Going to an event: from the slider until what the reader saw is drawn.',
  tables: [
    {
      columns: [
        'events',
        'open, ms',
        'median frame, ms',
        `frames above 34 ms, of ${SCROLL_FRAMES}`,
        'go to an event, ms',
      ],
      rows,
    },
  ],
  notes: ['Target: 10,000 events open in less than 1,000 ms and scroll at 60 frames a second (16.7 ms).'],
});

/** Steps of two hundred words and two tools. Each word has a commit of its own, and so stays an event. */
function talk({ message }, { emit, commitNow, messageId, attempt }) {
  const steps = Math.ceil(Number(message) / 207);
  for (let count = 0; count < steps; count += 1) {
    const step = { stepId: `s${count}`, name: 'answer', attempt };
    const part = { partId: `p${count}`, stepId: step.stepId, messageId };
    emit({ type: 'step-start', ...step });
    for (const toolCallId of [`${count}a`, `${count}b`]) {
      emit({
        type: 'tool-start',
        toolCallId,
        toolName: 'look',
        stepId: step.stepId,
        messageId,
        label: 'Looking',
      });
      emit({ type: 'tool-end', toolCallId, outcome: 'ok', durationMs: 1 });
    }
    emit({ type: 'text-start', ...part });
    for (let word = 0; word < 200; word += 1) {
      emit({ type: 'text-delta', partId: part.partId, delta: `word-${word} ` });
      commitNow();
    }
    emit({ type: 'text-end', partId: part.partId });
    emit({ type: 'step-end', ...step });
  }
}

async function makeRun(events) {
  const response = await fetch(`${origin}/api/chat`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ message: String(events) }),
  });
  const frames = await response.text();
  return /"runId":"([^"]+)"/.exec(frames)[1];
}

async function measure(url) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  // Into the cache.
  await page.goto(url);
  await page.locator('.event').first().waitFor();
  await page.goto('about:blank');
  await page.goto(url, { waitUntil: 'commit' });
  const openMs = await page.evaluate(async () => {
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    const isDrawn = () => document.querySelector('run-inspector')?.shadowRoot?.querySelector('.event');
    while (!isDrawn()) await frame();
    await frame();
    return performance.now();
  });
  const scrolled = await page.evaluate(async (frames) => {
    const list = document.querySelector('run-inspector').shadowRoot.querySelector('.events');
    list.scrollTop = 0;
    const times = [];
    let last = await new Promise((resolve) => requestAnimationFrame(resolve));
    for (let count = 0; count < frames; count += 1) {
      list.scrollTop += 480;
      const now = await new Promise((resolve) => requestAnimationFrame(resolve));
      times.push(now - last);
      last = now;
    }
    times.sort((one, other) => one - other);
    return { frameMs: times[times.length >> 1], longFrames: times.filter((time) => time > 34).length };
  }, SCROLL_FRAMES);
  const seekMs = await page.evaluate(async () => {
    const root = document.querySelector('run-inspector').shadowRoot;
    const slider = root.querySelector('input[type=range]');
    const startedAt = performance.now();
    slider.value = String(Math.floor(Number(slider.max) * 0.6));
    slider.dispatchEvent(new Event('input'));
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    return performance.now() - startedAt;
  });
  await page.close();
  return { openMs, ...scrolled, seekMs };
}
