import { expect, it } from '@jest/globals';
import type { Page, Route } from 'playwright-core';
import { chatServers } from '../support/chat.server.js';
import { until } from '../support/until.js';
import { describeInChromium } from './support/browser.js';
import { ChatPage, toPageUrl } from './support/chat.page.js';
import { Puppet } from './support/puppet.js';

const KEY = 'a-key-of-some-length';
const OTHER = 'another-key-of-some-length';
const SESSION = '**/api/auth/session';
const RUNS = '**/api/chat/runs';

/** Holds back the answers to requests of a page, each with what the server has said at once. */
async function holdBack(page: Page, url: string, method: string) {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  let held = 0;
  const hold = async (route: Route) => {
    if (route.request().method() !== method) return route.fallback();
    const response = await route.fetch();
    held += 1;
    await released;
    await route.fulfill({ response });
  };
  await page.route(url, hold);
  return { release, hasHeld: () => until(() => held > 0) };
}

describeInChromium('typing while a sign-in is going on', (chromium) => {
  const serve = chatServers();

  async function open({ prepare = async (_page: Page): Promise<unknown> => undefined } = {}) {
    const puppet = new Puppet();
    const server = await serve({
      play: puppet.play,
      auth: {
        kind: 'credentials',
        apiKeys: [
          { key: KEY, userId: 'ann', tenant: 'acme' },
          { key: OTHER, userId: 'bob', tenant: 'acme' },
        ],
      },
    });
    const context = await chromium.context({ mayFail: true });
    const page = await context.newPage();
    await prepare(page);
    await page.goto(toPageUrl(server));
    const chat = new ChatPage(page);
    const dialog = page.getByRole('dialog', { name: 'Sign in' });
    const press = async (key = KEY) => {
      await dialog.getByLabel('Access token or API key').fill(key);
      await dialog.getByRole('button', { name: 'Sign in' }).click();
    };
    const signIn = async (key = KEY) => {
      await press(key);
      await dialog.waitFor({ state: 'detached' });
    };
    /** Signs in as another tab would. */
    const signInElsewhere = () =>
      page.request.post(`${toPageUrl(server)}api/auth/session`, { data: { token: KEY } });
    const hears = async (message: string) => {
      const run = await puppet.run();
      expect(run.message).toBe(message);
      run.end();
      await chat.stands('completed');
    };
    return { page, chat, dialog, press, signIn, signInElsewhere, hears };
  }

  it('covers the page until it is known who has come, and keeps what is in the composer', async () => {
    const { page, chat, dialog, press, signIn, hears } = await open();
    await signIn();
    await chat.composer.fill('half a thought');
    await page.context().clearCookies();
    await page.reload();
    await dialog.waitFor();
    await until(async () => (await chat.composer.inputValue()) === '');

    const answer = await holdBack(page, SESSION, 'POST');
    await press();
    await answer.hasHeld();
    // No key reaches the composer now, but a program that fills in fields does.
    await page.keyboard.type('x');
    await page.keyboard.press('Enter');
    expect(await chat.composer.inputValue()).toBe('');
    await chat.composer.evaluate((field: HTMLTextAreaElement) => (field.value = 'and the rest'));
    answer.release();
    await dialog.waitFor({ state: 'detached' });
    expect(await chat.composer.inputValue()).toBe('half a thought\n\nand the rest');
    await page.reload();
    await page.getByRole('button', { name: 'Sign out' }).waitFor();
    expect(await chat.composer.inputValue()).toBe('half a thought\n\nand the rest');
    await chat.composer.press('Enter');
    await hears('half a thought\n\nand the rest');
  });

  it('sends once what was asked before the page knew that it needs a sign-in', async () => {
    const { promise: asked, resolve } = Promise.withResolvers<void>();
    const { page, chat, signIn, hears } = await open({
      prepare: (page) =>
        page.route(SESSION, async (route) => {
          await asked;
          await route.fallback();
        }),
    });
    const refused = page.waitForResponse(
      (response) => response.status() === 401 && response.url().endsWith('/runs'),
    );
    await chat.ask('Are you there?');
    await refused;
    await chat.composer.fill('and me?');
    resolve();
    await signIn();
    await hears('Are you there?');
    expect(await chat.composer.inputValue()).toBe('and me?');
    expect(await page.locator('[data-role=user]').count()).toBe(1);
  });

  it('sends a message again whose refusal comes after the sign-in, and asks for no other', async () => {
    const { page, chat, dialog, signIn, signInElsewhere, hears } = await open();
    await signIn();
    await page.context().clearCookies();
    const refusal = await holdBack(page, RUNS, 'POST');
    await chat.ask('Are you there?');
    await refusal.hasHeld();
    await signInElsewhere();
    refusal.release();
    await hears('Are you there?');
    expect(await dialog.count()).toBe(0);
  });

  it('asks for a sign-in when a message is refused although there is a session', async () => {
    const { page, chat, dialog, signIn, hears } = await open();
    await signIn();
    let refused = 0;
    await page.route(RUNS, (route) => {
      refused += 1;
      return route.fulfill({ status: 401, json: { code: 'UNAUTHENTICATED', detail: 'Sign in.' } });
    });
    await chat.ask('Are you there?');
    await dialog.waitFor();
    expect(refused).toBe(2);
    await page.unroute(RUNS);
    await signIn();
    await hears('Are you there?');
  });

  it('shows the next person nothing, and keeps the dialog until the page is theirs', async () => {
    const { page, chat, dialog, press, signIn } = await open();
    await signIn();
    await chat.composer.fill('A secret of Ann');
    await page.context().clearCookies();
    await chat.composer.press('Enter');
    await dialog.waitFor();
    const closed = page.evaluate(
      () => new Promise((resolve) => document.querySelector('dialog')!.addEventListener('close', resolve)),
    );
    closed.catch(() => undefined);
    await press(OTHER);
    // The page that listened is gone.
    await expect(closed).rejects.toThrow(/destroyed/);
    await page.getByRole('button', { name: 'Sign out' }).waitFor();
    expect(await chat.composer.inputValue()).toBe('');
    expect(await page.content()).not.toContain('A secret');
  });

  it('sends nothing of one person for another, who has signed in in another tab', async () => {
    const { page, dialog, chat, signIn } = await open();
    await signIn();
    await page.context().clearCookies();
    await chat.ask('A secret of Ann');
    await dialog.waitFor();
    const address = page.url();
    const elsewhere = await page.context().newPage();
    await elsewhere.goto(address);
    const other = elsewhere.getByRole('dialog', { name: 'Sign in' });
    await other.getByLabel('Access token or API key').fill(OTHER);
    await other.getByRole('button', { name: 'Sign in' }).click();
    await elsewhere.getByRole('button', { name: 'Sign out' }).waitFor();
    await other.waitFor({ state: 'detached' });
    await elsewhere.getByTestId('composer').fill('A thought of Bob');

    await page.evaluate(() => dispatchEvent(new Event('focus')));
    await until(async () => (await chat.composer.inputValue()) === 'A thought of Bob');
    expect(await page.content()).not.toContain('A secret');
    const runs = await page.request.get(`${address.replace(/\?.*$/, '')}api/chat/runs`);
    expect(await runs.json()).toMatchObject({ items: [] });
  });
});
