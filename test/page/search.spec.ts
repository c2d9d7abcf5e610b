import { expect, it } from '@jest/globals';
import { createAnswer } from '../../src/testing/scripted.agent.js';
import { chatServers } from '../support/chat.server.js';
import { sayOneByOne } from '../support/plays.js';
import { describeInChromium } from './support/browser.js';
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
    await page.keyboard.type('more');
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
      const words = new URL(route.request().url()).searchParams.get('search') ?? '';
      asked.push(words);
      if (words === 'apples') await held.promise;
      await route.continue().catch(() => {});
    });
    const first = page.waitForRequest(/search=/);
    await field.pressSequentially('apples');
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
});
