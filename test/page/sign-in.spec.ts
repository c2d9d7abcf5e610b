import { expect, it } from '@jest/globals';
import { chatServers } from '../support/chat.server.js';
import { untilEqual } from '../support/until.js';
import { describeInChromium } from './support/browser.js';
import { ChatPage, toPageUrl } from './support/chat.page.js';
import { Puppet } from './support/puppet.js';

const KEY = 'a-key-of-some-length';

describeInChromium('sign-in on the page', (chromium) => {
  const serve = chatServers();

  it('exchanges an API key for an HttpOnly cookie that opens streams, and deletes it at sign-out', async () => {
    const puppet = new Puppet();
    const server = await serve({
      play: puppet.play,
      auth: { kind: 'credentials', apiKeys: [{ key: KEY, userId: 'ann', tenant: 'acme' }] },
    });
    const chat = new ChatPage(await chromium.visit(toPageUrl(server), { mayFail: true }));
    const { page } = chat;
    const dialog = page.getByRole('dialog', { name: 'Sign in' });
    await chat.token.fill('not-the-right-one');
    await chat.token.press('Enter');
    await dialog.getByRole('alert').filter({ hasText: 'not valid' }).waitFor();
    await page.keyboard.press('Escape');
    expect(await dialog.isVisible()).toBe(true);

    await chat.signIn(KEY);
    await chat.ask('Who am I?');
    const run = await puppet.run();
    run.say('Ann');
    await chat.shows('Ann');
    await chat.badge.getByText('Live').waitFor();
    run.end();
    await chat.stands('completed');

    expect(
      await page.evaluate(() => document.cookie + JSON.stringify(localStorage) + location.href),
    ).not.toContain(KEY);
    expect(await page.context().cookies()).toMatchObject([{ httpOnly: true, sameSite: 'Strict' }]);
    await page.reload();
    await chat.shows('Ann');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await dialog.waitFor();
    expect(await page.context().cookies()).toEqual([]);
    // The page before may ask for a sign-in as well, until it is left.
    await untilEqual(() => page.getByText('Ann').count(), 0);
  });
});
