import { expect, it } from '@jest/globals';
import { chatServers } from '../support/chat.server.js';
import { until } from '../support/until.js';
import { findViolations } from './support/accessibility.js';
import { describeInChromium } from './support/browser.js';
import { ChatPage, toPageUrl } from './support/chat.page.js';
import { Puppet } from './support/puppet.js';

interface Seen {
  readonly title: string;
  readonly body: string;
}

describeInChromium('notifications of the system', (chromium) => {
  const serve = chatServers();

  async function open({ isPhone = false, isAllowed = true } = {}) {
    const puppet = new Puppet();
    const server = await serve({ play: puppet.play });
    const context = await chromium.context();
    if (isAllowed) await context.grantPermissions(['notifications']);
    const page = await context.newPage();
    await page.clock.install();
    // The browser's own, which tell this test that they were made.
    await page.addInitScript((isPhone) => {
      const made: Notification[] = [];
      class Watched extends Notification {
        constructor(title: string, options?: NotificationOptions) {
          // As Chrome on Android does.
          if (isPhone) throw new TypeError('Illegal constructor.');
          super(title, options);
          made.push(this);
        }
      }
      Object.assign(window, { Notification: Watched, made });
    }, isPhone);
    await page.goto(toPageUrl(server));
    const chat = new ChatPage(page);
    const see = (state: string) =>
      page.evaluate((state) => {
        Object.defineProperty(document, 'visibilityState', { configurable: true, value: state });
        Object.defineProperty(document, 'hidden', { configurable: true, value: state === 'hidden' });
        document.dispatchEvent(new Event('visibilitychange'));
      }, state);
    const listSeen = () =>
      page.evaluate(() =>
        (window as unknown as { made: Notification[] }).made.map(({ title, body }): Seen => ({
          title,
          body,
        })),
      );
    const choose = () => page.getByTestId('notifications').click();
    /** Ends the run while the page is out of sight, and lets the page look. */
    const answerUnseen = async (question: string) => {
      await chat.ask(question);
      const run = await puppet.run();
      run.say('Yes.');
      await chat.shows('Yes.');
      await see('hidden');
      run.end();
      const { threadId } = chat;
      for (let active: unknown = true; active !== undefined;) {
        const { body } = await server.call('GET', `/threads/${threadId}`);
        active = (body['thread'] as Record<string, unknown>)['activeRunId'];
      }
      let hasLooked = false;
      page.once('response', function note(response) {
        if (response.url().includes('/threads?waiting=')) hasLooked = true;
        else page.once('response', note);
      });
      // Again and again: one that had begun before sets the time of the next again.
      await until(async () => {
        await page.clock.fastForward(20_000);
        return hasLooked;
      });
    };
    return { chat, page, see, choose, listSeen, answerUnseen };
  }

  it('come only to who has chosen them, when the page is out of sight, and lead to the conversation', async () => {
    const { chat, page, see, choose, listSeen, answerUnseen } = await open();
    const button = page.getByRole('button', { name: 'Notify me when this page is hidden' });
    expect(await button.getAttribute('aria-pressed')).toBe('false');
    await answerUnseen('One');
    await see('visible');
    await chat.stands('completed');
    expect(await listSeen()).toEqual([]);

    await choose();
    await page.locator('[data-testid=notifications][aria-pressed=true]').waitFor();
    expect(await findViolations(page)).toEqual([]);
    await answerUnseen('Two');
    await page.waitForFunction(() => (window as unknown as { made: unknown[] }).made.length > 0);
    expect(await listSeen()).toEqual([{ title: 'One', body: 'The answer is ready.' }]);

    await see('visible');
    await chat.stands('completed');
    const asked = chat.threadId;
    await page.getByRole('button', { name: 'New conversation' }).click();
    await page.evaluate(() =>
      (window as unknown as { made: Notification[] }).made[0]?.dispatchEvent(new Event('click')),
    );
    await chat.stands('completed');
    expect(chat.threadId).toBe(asked);

    await page.reload();
    await page.locator('[data-testid=notifications][aria-pressed=true]').waitFor();
    await choose();
    await page.locator('[data-testid=notifications][aria-pressed=false]').waitFor();
  });

  it('are said to be impossible on a device that has none, when they are chosen', async () => {
    const { page, choose } = await open({ isPhone: true, isAllowed: false });
    const note = page.getByTestId('notifications-note');
    expect(await note.isVisible()).toBe(false);
    await choose();
    await note.getByText('This device shows no notifications of web pages.').waitFor();
    expect(await page.getByTestId('notifications').getAttribute('aria-pressed')).toBe('false');
    expect(await findViolations(page)).toEqual([]);
  });

  it('are off again on such a device once the first could not be shown', async () => {
    const { page, see, choose, answerUnseen } = await open({ isPhone: true });
    await choose();
    await page.locator('[data-testid=notifications][aria-pressed=true]').waitFor();
    await answerUnseen('One');
    await see('visible');
    await page.getByText('This device shows no notifications of web pages.').first().waitFor();
    await page.locator('[data-testid=notifications][aria-pressed=false]').waitFor();
  });
});
