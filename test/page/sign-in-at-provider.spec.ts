import { expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { Sessions } from '../../src/auth/sessions.js';
import { chatServers } from '../support/chat.server.js';
import { faultProxies } from '../support/fault-proxies.js';
import { CLIENT, openIdProviders } from '../support/openid.provider.js';
import { findViolations, LETS_AXE_IN } from './support/accessibility.js';
import { describeInChromium, type VisitOptions } from './support/browser.js';
import { ChatPage } from './support/chat.page.js';
import { Puppet } from './support/puppet.js';

const KEY = 'a-key-of-some-length';

describeInChromium('sign-in at a provider, on the page', (chromium) => {
  const serve = chatServers();
  const startProvider = openIdProviders();
  const proxyTo = faultProxies();

  async function start(options: VisitOptions = {}) {
    const door: { port: number | undefined } = { port: undefined };
    const { origin } = await proxyTo(door);
    const provider = await startProvider({ appOrigin: origin });
    const puppet = new Puppet();
    const server = await serve({
      play: puppet.play,
      auth: {
        kind: 'credentials',
        apiKeys: [{ key: KEY, userId: 'bot', tenant: 'acme' }],
        oidc: {
          issuer: provider.issuer,
          clientId: CLIENT.id,
          clientSecret: CLIENT.secret,
          redirectUri: `${origin}/api/auth/session/oidc/callback`,
          claims: { tenant: 'org', roles: 'groups' },
        },
      },
    });
    door.port = server.port;
    const page = await chromium.visit(`${origin}/`, { mayFail: true, ...options });
    const dialog = page.getByRole('dialog', { name: 'Sign in' });
    return { server, puppet, origin, page, dialog, chat: new ChatPage(page) };
  }

  async function passProvider(page: Page, login: string): Promise<void> {
    await page.getByRole('link', { name: 'Sign in with your organization' }).click();
    await page.getByLabel('Name').fill(login);
    await page.getByRole('button', { name: 'Continue' }).click();
  }

  it('signs in by the button, and keeps the question that was typed when the session has ended', async () => {
    const { puppet, server, page, dialog, chat } = await start();
    await passProvider(page, 'ada');
    await dialog.waitFor({ state: 'detached' });
    await chat.ask('Who am I?');
    const run = await puppet.run();
    run.say('Ada');
    run.end();
    await chat.stands('completed');
    const { threadId } = chat;

    await chat.composer.fill('And what do I do?');
    await server.app.get(Sessions).endAll({ userId: 'ada', tenant: 'acme' });
    await chat.composer.press('Enter');
    await dialog.waitFor();
    // The provider still knows her, and asks nothing.
    await page.getByRole('link', { name: 'Sign in with your organization' }).click();
    await page.waitForFunction(
      () => document.querySelector<HTMLTextAreaElement>('#question')?.value === 'And what do I do?',
    );
    expect(chat.threadId).toBe(threadId);
    // Nothing can be sent before the conversation is there.
    await chat.stands('completed');
    expect(await dialog.isVisible()).toBe(false);
    await chat.composer.press('Enter');
    const next = await puppet.run();
    next.say('Count');
    next.end();
    await chat.stands('completed');
    expect(await page.getByText('And what do I do?').count()).toBe(1);
  });

  it('says in a sentence why a sign-in failed, and takes a token as well', async () => {
    const { page, dialog, origin } = await start();
    await page.getByRole('link', { name: 'Sign in with your organization' }).click();
    await page.getByRole('button', { name: 'Cancel' }).click();
    const alert = dialog.getByRole('alert');
    await alert.filter({ hasText: 'You were not signed in. The sign-in was cancelled' }).waitFor();
    expect(page.url()).toBe(`${origin}/`);
    await dialog.getByText('Use an access token').click();
    await dialog.getByLabel('Access token or API key').fill(KEY);
    await dialog.getByRole('button', { name: 'Sign in' }).click();
    await dialog.waitFor({ state: 'detached' });
  });

  it('lets a page go on once the person has signed in in another tab', async () => {
    const { page, dialog, chat } = await start();
    await dialog.waitFor();
    const other = await page.context().newPage();
    await other.goto(page.url());
    await passProvider(other, 'ada');
    await other.getByTestId('composer').waitFor();
    await page.bringToFront();
    await page.evaluate(() => window.dispatchEvent(new Event('focus')));
    await dialog.waitFor({ state: 'detached' });
    await chat.composer.waitFor();
  });

  it.each(['light', 'dark'] as const)(
    'has a dialog that axe finds no fault in, in %s',
    async (colorScheme) => {
      const { page, dialog } = await start({ ...LETS_AXE_IN, colorScheme });
      await dialog.getByText('Use an access token').click();
      expect(await findViolations(page)).toEqual([]);
    },
  );
});
