import { expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { chatServers } from '../support/chat.server.js';
import { untilEqual } from '../support/until.js';
import { describeInChromium, type VisitOptions } from './support/browser.js';
import { ChatPage, toPageUrl } from './support/chat.page.js';
import { Puppet } from './support/puppet.js';

describeInChromium('accessibility of the page', (chromium) => {
  const serve = chatServers();

  async function open(options?: VisitOptions) {
    const puppet = new Puppet();
    const server = await serve({ play: puppet.play });
    return { puppet, chat: new ChatPage(await chromium.visit(toPageUrl(server), options)) };
  }

  it('works by keyboard alone: focus, send, break a line, stop, start a new conversation', async () => {
    const { puppet, chat } = await open();
    const { page } = chat;
    // A person who comes to ask can type at once.
    expect(await focused(page)).toBe('Your question');
    await page.keyboard.type('one');
    await page.keyboard.press('Shift+Enter');
    await page.keyboard.type('two');
    await page.keyboard.press('Enter');
    const run = await puppet.run();
    expect(run.message).toBe('one\ntwo');
    expect(await focused(page)).toBe('Your question');
    run.say('Words');
    await chat.shows('Words');
    await page.keyboard.press('Tab');
    expect(await focused(page)).toBe('Stop the answer');
    await page.keyboard.press('Escape');
    await chat.stands('cancelled');
    // The stop button is gone: the focus is not.
    expect(await focused(page)).toBe('Your question');
    await page.keyboard.press('Alt+n');
    await page.getByRole('heading', { name: 'Ask, and watch it work.' }).waitFor();
  });

  it('moves the focus by Tab in reading order', async () => {
    const { puppet, chat } = await open();
    await chat.ask('Hello');
    (await puppet.run()).end();
    await chat.stands('completed');
    await chat.page.reload();
    await chat.threads.first().waitFor();
    await chat.page.getByRole('button', { name: 'Notify me when this page is hidden' }).waitFor();
    const order: string[] = [];
    for (let stop = 0; stop < 20; stop++) {
      await chat.page.keyboard.press('Tab');
      order.push(await focused(chat.page));
    }
    expect(order.slice(0, 11)).toEqual([
      'Skip to the question',
      'New conversation',
      'Search conversations',
      expect.stringContaining('Hello'),
      'More about “Hello”',
      'Archived conversations',
      'Runs',
      'API',
      'Notify me when this page is hidden',
      'Theme: system',
      'Conversation',
    ]);
    expect(order).toContain('Your question');
    await chat.page.reload();
    await chat.threads.first().waitFor();
    await chat.page.keyboard.press('Tab');
    expect(await focused(chat.page)).toBe('Skip to the question');
    await chat.page.keyboard.press('Enter');
    await untilEqual(() => focused(chat.page), 'Your question');
  });

  it('has landmarks, a name for every control, and announces the text in sentences', async () => {
    const { puppet, chat } = await open();
    const { page } = chat;
    await chat.ask('Say it');
    const run = await puppet.run();
    run.startTool('a', 'Searching the web…', { query: 'q' });
    run.endTool('a', { outcome: 'ok', durationMs: 1_500, output: 'x' });
    run.say('One sentence. **Another** one, unfin');
    run.say('ished.\n\n```js\nlet a;\n```');
    await chat.answer.getByRole('button', { name: 'Copy code' }).waitFor();
    const announcer = page.getByRole('status');
    await announcer.getByText('One sentence.').waitFor({ state: 'attached' });
    run.end();
    await chat.stands('completed');
    await announcer.getByText('The answer is complete.').waitFor({ state: 'attached' });
    expect(await announcer.getAttribute('aria-live')).toBe('polite');
    expect(await announcer.innerText()).not.toContain('**');

    const outline = await page.locator('body').ariaSnapshot();
    expect(outline).toContain('- navigation "Conversations"');
    expect(outline).toContain('- main');
    expect(outline).toContain('- banner');
    expect(outline).toContain('- article "You"');
    expect(outline).toContain('- article "Answer from scripted"');
    expect(outline).toContain('- heading "Say it" [level=1]');
    expect(await unnamedControls(page)).toEqual([]);
  });

  it('announces the start of a tool and how it ended', async () => {
    const { puppet, chat } = await open();
    await chat.ask('Say it');
    const run = await puppet.run();
    run.startTool('a', 'Searching the web…');
    const announcer = chat.page.getByRole('status');
    await announcer.getByText('Searching the web…').waitFor({ state: 'attached' });
    run.endTool('a', { outcome: 'ok', durationMs: 1_500 });
    await announcer.getByText('Searching the web: done in 1.5 s.').waitFor({ state: 'attached' });
    run.end();
    await chat.stands('completed');
  });

  it('has a drawer on a phone that is hidden when closed, traps the focus when open, and closes on Escape', async () => {
    const { puppet, chat } = await open({
      viewport: { width: 390, height: 844 },
      hasTouch: true,
      isMobile: true,
    });
    const { page } = chat;
    const menu = page.getByRole('button', { name: 'Conversations' });
    const fresh = page.getByRole('button', { name: 'New conversation' });
    await chat.ask('A question that is a good deal longer than the width of a small screen allows');
    const run = await puppet.run();
    run.startTool('a', 'Looking up a table with quite a long name in the database of the department…');
    run.say(
      `${'word '.repeat(60)}\n\n| a | b | c | d | e | f |\n|---|---|---|---|---|---|\n${'| a long cell '.repeat(6)}|`,
    );
    run.end();
    await chat.stands('completed');
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
    expect(await fresh.isVisible()).toBe(false);
    await menu.click();
    await fresh.waitFor();
    expect(await page.locator('#sidebar').evaluate((bar) => bar.contains(document.activeElement))).toBe(true);
    expect(await page.locator('.stage').evaluate((stage: HTMLElement) => stage.inert)).toBe(true);
    await page.keyboard.press('Escape');
    await fresh.waitFor({ state: 'hidden' });
    expect(await focused(page)).toBe('Conversations');
    await menu.click();
    await fresh.click();
    await page.getByRole('heading', { name: 'Ask, and watch it work.' }).waitFor();
    await fresh.waitFor({ state: 'hidden' });
  });

  it("follows the system's dark theme, and remembers another choice after a reload", async () => {
    const { chat } = await open({ colorScheme: 'dark' });
    const { page } = chat;
    const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const dark = await paper();
    await page.getByRole('button', { name: 'Theme: system' }).click();
    const light = await paper();
    expect([dark, light].map(brightness)).toEqual([expect.closeTo(0.07, 1), expect.closeTo(0.96, 1)]);
    await page.reload();
    expect(await paper()).toBe(light);
    await page.getByRole('button', { name: 'Theme: light' }).click();
    expect(await paper()).toBe(dark);
  });
});

/** The accessible name, or the text, of what has the focus. */
function focused(page: Page): Promise<string> {
  return page.evaluate(() => {
    const { activeElement } = document;
    return activeElement?.getAttribute('aria-label') ?? activeElement?.textContent ?? '';
  });
}

/** Controls without a name in Chromium's own accessibility tree. */
async function unnamedControls(page: Page): Promise<string[]> {
  const session = await page.context().newCDPSession(page);
  const { nodes } = await session.send('Accessibility.getFullAXTree');
  const controls = ['button', 'link', 'textbox', 'combobox', 'dialog', 'region', 'progressbar'];
  return nodes
    .filter(({ ignored, role }) => !ignored && controls.includes(String(role?.value)))
    .filter(({ name }) => !name?.value)
    .map(({ role }) => String(role?.value));
}

function brightness(rgb: string): number {
  const [red = 0, green = 0, blue = 0] = rgb.match(/\d+/g)?.map(Number) ?? [];
  return (red + green + blue) / 3 / 255;
}
