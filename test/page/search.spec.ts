import { expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { createAnswer } from '../../src/testing/scripted.agent.js';
import { chatServers, type ChatServer } from '../support/chat.server.js';
import { sayOneByOne } from '../support/plays.js';
import { until, untilEqual } from '../support/until.js';
import { describeInChromium, type VisitOptions } from './support/browser.js';
import { findViolations, LETS_AXE_IN } from './support/accessibility.js';
import { ChatPage, toPageUrl } from './support/chat.page.js';

describeInChromium('the search of the page', (chromium) => {
  const serve = chatServers();

  const open = async () => {
    const server = await serve({
      play: ({ message }, context) =>
        sayOneByOne(context, createAnswer(context, [`On ${message}: `, '<b>42</b> & more.'])),
    });
    for (const message of ['red apples', 'green pears', 'ripe plums']) await server.finishedRun({ message });
    const chat = new ChatPage(await chromium.visit(toPageUrl(server), LETS_AXE_IN));
    await chat.threads.nth(2).waitFor();
    return {
      server,
      chat,
      page: chat.page,
      field: chat.page.getByRole('searchbox', { name: 'Search conversations' }),
    };
  };

  it('finds conversations while a person types, marks the words, and opens one', async () => {
    const { chat, page, field } = await open();
    const found = page.getByTestId('found');
    await field.fill('PEARS 4');
    await page.getByText('1 conversation found.').waitFor();
    expect(await found.locator('.thread-title').allInnerTexts()).toEqual(['green pears']);
    expect(await found.locator('.found-text').innerText()).toBe('On green pears: <b>42</b> & more.');
    expect(await found.locator('mark').allInnerTexts()).toEqual(['pears', '42']);
    expect(await chat.threads.first().isVisible()).toBe(false);
    expect(await findViolations(page)).toEqual([]);
    await found.getByRole('link').click();
    await chat.shows('On green pears: <b>42</b> & more.');

    await field.fill('nowhere');
    await page.getByText('Nothing found.').waitFor();
    expect(await found.count()).toBe(0);
    await field.fill('');
    await chat.threads.nth(2).waitFor();
  });

  it('is used by keyboard alone', async () => {
    const { chat, page, field } = await open();
    await page.getByTestId('new-thread').focus();
    await page.keyboard.press('Tab');
    expect(await field.evaluate((element) => element === document.activeElement)).toBe(true);
    // At once: between two keys, a busy machine may take longer than the search waits for the next.
    await page.keyboard.insertText('more');
    await page.getByText('3 conversations found.').waitFor();
    const focused = () =>
      page.evaluate(() => document.activeElement?.querySelector('.thread-title')?.textContent);
    await page.keyboard.press('ArrowDown');
    expect(await focused()).toBe('ripe plums');
    await page.keyboard.press('ArrowDown');
    expect(await focused()).toBe('green pears');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('ArrowUp');
    expect(await field.evaluate((element) => element === document.activeElement)).toBe(true);
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await chat.shows('On ripe plums: <b>42</b> & more.');
    await field.focus();
    await page.keyboard.press('Escape');
    expect(await field.inputValue()).toBe('');
    await chat.threads.nth(2).waitFor();
  });

  it('asks once for what is typed in one go, and shows the answer to the last words only', async () => {
    const { page, field } = await open();
    const asked: string[] = [];
    const held = Promise.withResolvers<void>();
    await page.route(/search=/, async (route) => {
      const { searchParams } = new URL(route.request().url());
      const words = searchParams.get('search') ?? '';
      // Archived ones are asked for afterwards.
      if (searchParams.get('archived') === 'false') asked.push(words);
      if (words === 'apples') await held.promise;
      await route.continue().catch(() => {});
    });
    const first = page.waitForRequest(/search=/);
    // The time between two keys is none, however busy the machine.
    await page.clock.install();
    await page.clock.pauseAt(Date.now() + 60_000);
    await field.pressSequentially('apples');
    await page.clock.resume();
    await first;
    await field.fill('plums');
    await page.getByText('1 conversation found.').waitFor();
    held.resolve();
    expect(await page.getByTestId('found').locator('.thread-title').allInnerTexts()).toEqual(['ripe plums']);
    expect(asked).toEqual(['apples', 'plums']);
  });

  it('shows more results than one page', async () => {
    const { server, page, field } = await open();
    for (let index = 0; index < 20; index += 1) await server.finishedRun({ message: `apples ${index}` });
    await field.fill('apples');
    await page.getByText('The latest 20 conversations.').waitFor();
    await page.getByRole('button', { name: 'More results' }).click();
    await page.getByText('21 conversations found.').waitFor();
    const focused = () =>
      page.evaluate(() => document.activeElement?.querySelector('.thread-title')?.textContent);
    expect(await focused()).toBe('red apples');
  });

  it('finds archived conversations too, after the others, and says so', async () => {
    const { server, page, field } = await open();
    const { body } = await server.call('GET', '/threads');
    const [newest] = body['items'] as { id: string; title: string }[];
    expect(newest!.title).toBe('ripe plums');
    await server.call('PATCH', `/threads/${newest!.id}`, { archived: true });
    await field.fill('more');
    await page.getByText('3 conversations found.').waitFor();
    const found = page.getByTestId('found');
    expect(await found.locator('.thread-title').allInnerTexts()).toEqual([
      'green pears',
      'red apples',
      'ripe plums',
    ]);
    expect(await found.locator('.found-archived').count()).toBe(1);
    expect(await found.last().locator('.found-archived').innerText()).toBe('Archived');
    expect(await findViolations(page)).toEqual([]);
  });

  /** Opens the page, which notes what it marks: a mark is there for a moment only, and a busy test may look too late. */
  const visit = async (server: ChatServer, options?: VisitOptions) => {
    const context = await chromium.context(options);
    await context.addInitScript(() => {
      const marked: Element[] = [];
      new MutationObserver((changes) => {
        for (const { target } of changes)
          if (target instanceof Element && target.hasAttribute('data-found')) marked.push(target);
      }).observe(document, { subtree: true, attributeFilter: ['data-found'] });
      Object.assign(globalThis, { marked });
    });
    const page = await context.newPage();
    await page.goto(toPageUrl(server));
    return page;
  };

  /** A conversation of forty questions about numbers, of which the second was edited. */
  const talked = async () => {
    const server = await serve({
      play: ({ message }, context) =>
        sayOneByOne(
          context,
          createAnswer(context, [
            `You said ${message}.\n\n`,
            `${'More. '.repeat(300)}\n\nThe end of ${message}.`,
          ]),
        ),
    });
    const { runId, threadId } = await server.startRun({ message: 'number 0' });
    await (await server.watch(runId)).closed();
    const ids = [runId];
    for (let index = 1; index < 24; index += 1) {
      const stream = await server.finishedRun({ message: `number ${index}`, threadId });
      ids.push(stream.runId);
    }
    return { server, ids, threadId };
  };

  /** Resolves once the page has marked these words, or a message with them. The page has to be one of `visit`. */
  const marks = (page: Page, text: string) =>
    page.waitForFunction(
      (words) =>
        (globalThis as unknown as { marked: Element[] }).marked.some((element) =>
          [element, ...element.querySelectorAll('*')].some(({ textContent }) => textContent.trim() === words),
        ),
      text,
    );

  const isInView = (page: Page, text: string) =>
    page.getByText(text, { exact: true }).evaluate((element) => {
      const { top, bottom } = element.getBoundingClientRect();
      const frame = document.querySelector('.scroller')!.getBoundingClientRect();
      return top >= frame.top && bottom <= frame.bottom;
    });

  it.each(['no-preference', 'reduce'] as const)(
    'opens a conversation at the words that were found, and marks them for a moment (motion: %s)',
    async (reducedMotion) => {
      const { server, threadId } = await talked();
      const page = await visit(server, { reducedMotion });
      const field = page.getByRole('searchbox', { name: 'Search conversations' });
      await field.fill('end of number 3');
      await page.getByTestId('found').getByRole('link').click();
      await marks(page, 'The end of number 3.');
      expect(await isInView(page, 'The end of number 3.')).toBe(true);
      expect(await page.evaluate(() => document.activeElement?.getAttribute('data-role'))).toBe('assistant');
      await page.locator('[data-found]').waitFor({ state: 'detached' });
      expect(await isInView(page, 'The end of number 3.')).toBe(true);
      expect(new URL(page.url()).searchParams.get('thread')).toBe(threadId);
      await untilEqual(() => new URL(page.url()).searchParams.has('at'), false);

      // The same conversation, further down.
      await field.fill('end of number 20');
      await page.getByTestId('found').filter({ hasText: 'number 20' }).getByRole('link').click();
      await marks(page, 'The end of number 20.');
      expect(await isInView(page, 'The end of number 20.')).toBe(true);
    },
  );

  it('shows the last of two places in one conversation that a person has chosen, and no error', async () => {
    const { server } = await talked();
    const page = await visit(server, { mayFail: true });
    const readAnnounced = await watchAnnouncer(page);
    const field = page.getByRole('searchbox', { name: 'Search conversations' });
    const choose = async (words: string) => {
      await field.fill(`end of ${words}`);
      await page.getByTestId('found').filter({ hasText: words }).getByRole('link').click();
    };
    const held = Promise.withResolvers<void>();
    const asked: string[] = [];
    await page.route(/\/threads\/[^/?]+\?.*cursor/, async (route) => {
      if (asked.push(route.request().url()) === 1) await held.promise;
      // It may have been aborted.
      await route.continue().catch(() => undefined);
    });
    await choose('number 3');
    await until(() => asked.length > 0);
    await choose('number 20');
    held.resolve();
    await marks(page, 'The end of number 20.');
    expect(await isInView(page, 'The end of number 20.')).toBe(true);
    await untilEqual(() => new URL(page.url()).searchParams.has('at'), false);
    // What it had to say before comes with the first words on an answer.
    await new ChatPage(page).ask('number 24');
    await until(async () => (await readAnnounced()) !== '');
    expect(await readAnnounced()).not.toMatch(/abort|reached/i);
  });

  it('says nothing of a page of messages that a person has not waited for', async () => {
    const { server, threadId } = await talked();
    const page = await chromium.visit(`${toPageUrl(server)}?thread=${threadId}`, { mayFail: true });
    const readAnnounced = await watchAnnouncer(page);
    const held = Promise.withResolvers<void>();
    const failed = Promise.withResolvers<void>();
    page.on('requestfailed', (request) => request.url().includes('cursor') && failed.resolve());
    await page.route(/\/threads\/[^/?]+\?.*cursor/, async (route) => {
      await held.promise;
      await route.continue().catch(() => undefined);
    });
    const earlier = page.getByRole('button', { name: 'Earlier messages' });
    const isAsked = page.waitForRequest(/cursor/);
    await earlier.click();
    await isAsked;
    await page.getByRole('button', { name: 'New conversation' }).click();
    await failed.promise;
    await page.getByRole('heading', { name: 'Ask, and watch it work.' }).waitFor();
    held.resolve();
    // What it had to say before comes with the first words on an answer.
    await new ChatPage(page).ask('number 0');
    await until(async () => (await readAnnounced()) !== '');
    expect(await readAnnounced()).not.toMatch(/abort|reached/i);
  });

  it('opens a long answer at words that come after a large table', async () => {
    const rows = Array.from({ length: 1_000 }, (_, row) => `| ${row} | cell |`).join('\n');
    const server = await serve({
      play: (_input, context) =>
        sayOneByOne(
          context,
          createAnswer(context, [`| No | Cells |\n| --- | --- |\n${rows}\n\n`, 'Here is the needle.']),
        ),
    });
    await server.finishedRun({ message: 'Make a table' });
    const page = await visit(server);
    await page.getByRole('searchbox', { name: 'Search conversations' }).fill('needle');
    await page.getByTestId('found').getByRole('link').click();
    await marks(page, 'Here is the needle.');
    expect(await isInView(page, 'Here is the needle.')).toBe(true);
  });

  it('opens the branch in which the words were said', async () => {
    const { server, ids } = await talked();
    const edited = await server.startRun({ message: 'quite another', replaces: ids[1] });
    await (await server.watch(edited.runId)).closed();
    const page = await visit(server);
    const chat = new ChatPage(page);
    const field = page.getByRole('searchbox', { name: 'Search conversations' });
    await field.fill('end of number 5');
    const link = page.getByTestId('found').getByRole('link');
    await link.waitFor();
    const address = await link.getAttribute('href');
    await link.click();
    await marks(page, 'The end of number 5.');
    expect(await page.getByText('quite another', { exact: true }).count()).toBe(0);
    await field.fill('quite another');
    await page.getByTestId('found').filter({ hasText: 'quite another' }).getByRole('link').click();
    await chat.answer.getByText('The end of quite another.').waitFor();
    expect(await page.getByText('number 5', { exact: true }).count()).toBe(0);

    // As a link, in a window of its own.
    await page.goto(new URL(address!, toPageUrl(server)).href);
    await marks(page, 'The end of number 5.');
  });
});

/** Returns the function that tells what the page has said to screen readers from now on. */
async function watchAnnouncer(page: Page): Promise<() => Promise<string>> {
  const said = await page.evaluateHandle(() => {
    const said: string[] = [];
    const announcer = document.getElementById('announcer')!;
    new MutationObserver(() => announcer.textContent && said.push(announcer.textContent)).observe(announcer, {
      childList: true,
      characterData: true,
      subtree: true,
    });
    return said;
  });
  return () => said.evaluate((said) => said.join(' '));
}
