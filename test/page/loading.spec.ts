import { expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { createAnswer } from '../../src/testing/scripted.agent.js';
import { chatServers } from '../support/chat.server.js';
import { sayOneByOne } from '../support/plays.js';
import { describeInChromium } from './support/browser.js';
import { ChatPage, toPageUrl } from './support/chat.page.js';

/** Of a first visit, with the heads of the replies. */
const MOST_BYTES = 200_000;
const MOST_REQUESTS = 110;
/** Of these, the modules that must be there before a person can type. */
const MOST_CRITICAL = 64;

describeInChromium('loading the page', (chromium) => {
  const serve = chatServers();

  it('takes at most 200 kB at the first visit, and only its HTML and the API at the next', async () => {
    const server = await serve();
    const context = await chromium.context();
    const page = await context.newPage();
    const first = await watchTraffic(page);
    await page.goto(toPageUrl(server));
    await isComplete(page);
    expect(first.bytes).toBeLessThan(MOST_BYTES);
    expect(first.paths.length).toBeLessThan(MOST_REQUESTS);
    expect(first.bytes).toBeGreaterThan(50_000);
    await page.close();

    const again = await context.newPage();
    const second = await watchTraffic(again);
    await again.goto(toPageUrl(server));
    await isComplete(again);
    expect(second.paths.filter((path) => !path.startsWith('/api/'))).toEqual(['/']);
  });

  it('asks for each module of its start at once, and for no module of what is rarely seen', async () => {
    const server = await serve();
    const page = await (await chromium.context()).newPage();
    const { paths } = await watchTraffic(page);
    const html = await (await page.goto(toPageUrl(server)))!.text();
    await isComplete(page);
    const linked = [...html.matchAll(/<link rel="modulepreload" href="([^"]+)"( fetchpriority="low")?/g)];
    const modules = paths.filter((path) => path.endsWith('.js') && !path.endsWith('theme-early.js'));
    expect(modules.toSorted()).toEqual(linked.map(([, path]) => `/${path}`).toSorted());
    expect(linked.filter(([, , isLate]) => !isLate).length).toBeLessThanOrEqual(MOST_CRITICAL);
    for (const rare of ['sign-in', 'confirm.dialog', 'inspector', 'highlight', 'temml'])
      expect(modules.join()).not.toContain(rare);
  });

  it('loads no file that its page does not need, and all that it does, when the server has another version by now', async () => {
    const server = await serve({
      play: (_input, context) => sayOneByOne(context, createAnswer(context, ['Words ', 'and words.'])),
    });
    const page = await (await chromium.context()).newPage();
    // As it is when a deploy has replaced the server between the HTML and its files.
    await page.route(toPageUrl(server), async (route) => {
      const response = await route.fetch();
      const body = (await response.text()).replaceAll(/"v\/[\w-]+\//g, '"v/0123456789abcdef/');
      await route.fulfill({ response, body });
    });
    await page.goto(toPageUrl(server));
    const chat = new ChatPage(page);
    await chat.ask('Talk');
    await chat.shows('Words and words.');
    const addresses = await page.evaluate(() =>
      performance.getEntriesByType('resource').map(({ name }) => new URL(name).pathname),
    );
    const versions = addresses.flatMap((path) => /^\/v\/([^/]+)/.exec(path)?.[1] ?? []);
    expect(new Set(versions)).toEqual(new Set(['0123456789abcdef']));
  });

  it('takes a question while what shows the answer is still on its way', async () => {
    const server = await serve({
      play: (_input, context) => sayOneByOne(context, createAnswer(context, ['Here ', 'it is.'])),
    });
    const page = await (await chromium.context()).newPage();
    const held = Promise.withResolvers<void>();
    await page.route('**/view/message.list.js', async (route) => {
      await held.promise;
      await route.continue();
    });
    await page.goto(toPageUrl(server), { waitUntil: 'commit' });
    const chat = new ChatPage(page);
    await chat.ask('Early');
    await page.waitForURL(/thread=/);
    held.resolve();
    await chat.shows('Here it is.');
  });

  it('says so when a part of it cannot be loaded', async () => {
    const server = await serve({
      play: (_input, context) => sayOneByOne(context, createAnswer(context, ['No.'])),
    });
    const page = await (await chromium.context({ mayFail: true })).newPage();
    let isLost = true;
    await page.route('**/view/message.list.js', (route) => (isLost ? route.abort() : route.continue()));
    await page.goto(toPageUrl(server));
    await new ChatPage(page).ask('Anybody?');
    await page.getByText('A part of this page could not be loaded. Reload the page.').waitFor();
    isLost = false;
    await page.getByRole('button', { name: 'Reload' }).click();
    await new ChatPage(page).shows('No.');
  });
});

/** Resolves once the page has drawn all of its start, and nothing is on its way. */
async function isComplete(page: Page): Promise<void> {
  await page.getByText('Your conversations appear here.').waitFor();
  await page.locator('.messages').waitFor({ state: 'attached' });
  await page.waitForLoadState('networkidle');
}

/** Counts what comes over the network, not from the cache. */
async function watchTraffic(page: Page) {
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  const traffic = { bytes: 0, paths: [] as string[] };
  const asked = new Map<string, string>();
  session.on('Network.requestWillBeSent', ({ requestId, request }) =>
    asked.set(requestId, new URL(request.url).pathname),
  );
  session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    if (encodedDataLength === 0) return;
    traffic.bytes += encodedDataLength;
    traffic.paths.push(asked.get(requestId)!);
  });
  return traffic;
}
