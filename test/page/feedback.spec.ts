import { expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { chatServers } from '../support/chat.server.js';
import { until } from '../support/until.js';
import { findViolations } from './support/accessibility.js';
import { describeInChromium } from './support/browser.js';
import { ChatPage, toPageUrl } from './support/chat.page.js';
import { Puppet } from './support/puppet.js';

describeInChromium('feedback on the page', (chromium) => {
  const serve = chatServers();

  async function open() {
    const puppet = new Puppet();
    const server = await serve({ play: puppet.play });
    const chat = new ChatPage(await chromium.visit(toPageUrl(server), { mayFail: true }));
    await chat.ask('How many?');
    const run = await puppet.run();
    run.say('Forty-two.');
    expect(await chat.page.getByRole('button', { name: 'Good answer' }).isVisible()).toBe(false);
    run.end();
    await chat.stands('completed');
    const readStored = async () => {
      const { body } = await server.call('GET', '/runs');
      return (body['items'] as { feedback?: { rating: string; comment?: string } }[])[0]?.feedback;
    };
    return { server, chat, page: chat.page, readStored };
  }

  const thumb = (page: Page, name: 'Good answer' | 'Bad answer') => page.getByRole('button', { name });
  const isPressed = async (page: Page, name: 'Good answer' | 'Bad answer') =>
    (await thumb(page, name).getAttribute('aria-pressed')) === 'true';

  it('is given by keyboard, with words, and stands there after a reload and in another tab', async () => {
    const { chat, page, readStored } = await open();
    const other = await page.context().newPage();
    await other.goto(page.url());
    await thumb(other, 'Bad answer').waitFor();

    await thumb(page, 'Bad answer').focus();
    await page.keyboard.press('Enter');
    const field = page.getByRole('textbox', { name: 'Words about this answer' });
    await field.waitFor();
    await until(async () => (await readStored())?.rating === 'down');
    expect(await field.evaluate((element) => element === document.activeElement)).toBe(true);
    expect(await findViolations(page)).toEqual([]);
    await page.keyboard.type('It is forty-three.');

    // A reload in the middle of writing keeps the words.
    await page.reload();
    await chat.stands('completed');
    expect(await isPressed(page, 'Bad answer')).toBe(true);
    await page.getByRole('button', { name: 'Add words' }).click();
    expect(await field.inputValue()).toBe('It is forty-three.');
    await field.press('Enter');
    await page.getByRole('button', { name: 'Edit words' }).waitFor();
    expect(await readStored()).toMatchObject({ rating: 'down', comment: 'It is forty-three.' });
    expect(await field.count()).toBe(0);

    await other.bringToFront();
    await other.getByRole('button', { name: 'Edit words' }).waitFor();
    expect(await isPressed(other, 'Bad answer')).toBe(true);
  });

  it('is changed and taken back, and its words are not lost by it', async () => {
    const { page, readStored } = await open();
    await thumb(page, 'Good answer').click();
    await until(async () => (await readStored())?.rating === 'up');
    expect(await page.getByRole('form', { name: 'Feedback' }).count()).toBe(0);
    await page.getByRole('button', { name: 'Add words' }).click();
    const field = page.getByRole('textbox', { name: 'Words about this answer' });
    await field.fill('Short\nand good');
    await page.getByRole('button', { name: 'Send feedback' }).click();
    await page.getByRole('button', { name: 'Edit words' }).waitFor();

    await thumb(page, 'Bad answer').click();
    await until(async () => (await readStored())?.rating === 'down');
    // They were about what was good.
    expect(await readStored()).not.toHaveProperty('comment');
    expect(await field.inputValue()).toBe('');
    await field.fill('Wrong');
    await thumb(page, 'Good answer').click();
    await until(async () => (await readStored())?.rating === 'up');
    await page.getByRole('button', { name: 'Add words' }).click();
    expect(await field.inputValue()).toBe('Short\nand good');
    await field.press('Enter');
    await page.getByRole('button', { name: 'Edit words' }).waitFor();
    expect(await readStored()).toMatchObject({ rating: 'up', comment: 'Short\nand good' });

    await thumb(page, 'Good answer').click();
    await until(async () => (await readStored()) === undefined);
    await until(async () => !(await isPressed(page, 'Good answer')));
    await thumb(page, 'Good answer').click();
    await page.getByRole('button', { name: 'Add words' }).click();
    expect(await field.inputValue()).toBe('Short\nand good');
  });

  it.each(['arrives late', 'is lost'])(
    'stores the last of two quick clicks when the first %s',
    async (fate) => {
      const { page, readStored } = await open();
      const held = Promise.withResolvers<void>();
      const sent: string[] = [];
      const over: string[] = [];
      const note = (request: { method(): string; url(): string }) =>
        request.url().endsWith('/feedback') && over.push(request.method());
      page.on('requestfinished', note);
      page.on('requestfailed', note);
      await page.route('**/feedback', async (route) => {
        if (sent.push(route.request().method()) > 1) return route.continue();
        await held.promise;
        await (fate === 'is lost' ? route.abort() : route.continue());
      });
      await thumb(page, 'Good answer').click();
      await until(() => isPressed(page, 'Good answer'));
      await thumb(page, 'Bad answer').click();
      await until(() => isPressed(page, 'Bad answer'));
      held.resolve();
      await until(() => over.length === 2);
      expect(await readStored()).toMatchObject({ rating: 'down' });
      expect(await isPressed(page, 'Bad answer')).toBe(true);
      await page.getByText('Thank you for the feedback.').waitFor({ state: 'attached' });
    },
  );

  it('shows what the server has when it could not be stored', async () => {
    const { page } = await open();
    await page.route('**/feedback', (route) => route.abort());
    await thumb(page, 'Good answer').click();
    await page.locator('#announcer').getByText('cannot be reached').waitFor({ state: 'attached' });
    await until(async () => !(await isPressed(page, 'Good answer')));
  });
});
