import { expect, it } from '@jest/globals';
import type { Locator, Page } from 'playwright-core';
import { chatServers } from '../support/chat.server.js';
import { describeInChromium, type VisitOptions } from './support/browser.js';
import { ChatPage, toPageUrl } from './support/chat.page.js';
import { Puppet } from './support/puppet.js';
import { settled } from './support/rest.js';
import { watchTasks } from './support/tasks.js';

/** The longest time for which the page may answer to nothing. */
const MOST_BLOCKED_MS = 200;

describeInChromium('reading on the page', (chromium) => {
  const serve = chatServers();

  async function open(options?: VisitOptions) {
    const puppet = new Puppet();
    const server = await serve({ play: puppet.play });
    return { puppet, chat: new ChatPage(await chromium.visit(toPageUrl(server), options)) };
  }

  it('begins at its headline on a phone, in landscape and at 200 % zoom', async () => {
    const { chat } = await open();
    const { page } = chat;
    for (const [width, height] of [
      [360, 740],
      [740, 360],
      [640, 400],
    ] as const) {
      await page.setViewportSize({ width, height });
      await page.reload();
      const headline = page.getByRole('heading', { name: 'Ask, and watch it work.' });
      await headline.waitFor();
      await page.getByText('Your conversations appear here.').waitFor({ state: 'attached' });
      await settled(page);
      const bar = await page.locator('#topbar').boundingBox();
      expect((await headline.boundingBox())!.y).toBeGreaterThanOrEqual(bar!.y + bar!.height);
    }
  });

  it('leaves at least half of a phone in landscape to the text', async () => {
    const { puppet, chat } = await open({ viewport: { width: 740, height: 360 } });
    await chat.ask('Talk');
    const run = await puppet.run();
    run.say(lines(40));
    run.end();
    await chat.stands('completed');
    const { height } = (await chat.page.locator('.scroller').boundingBox())!;
    expect(height).toBeGreaterThan(220);
  });

  it('lets a reader go who scrolls up by little while words come, and follows again at the end', async () => {
    const { puppet, chat } = await open();
    const { page } = chat;
    await chat.ask('Talk');
    const run = await puppet.run();
    run.say(lines(60));
    await chat.answer.getByText('Line 60').waitFor();
    await untilAtEnd(page);
    await page.locator('.scroller').hover();
    for (let step = 1; step <= 12; step++) {
      await page.mouse.wheel(0, -8);
      run.say(`\n\nMore ${step}.`);
      await chat.answer.getByText(`More ${step}.`, { exact: true }).waitFor({ state: 'attached' });
      await settled(page);
    }
    expect(await leftBelow(page)).toBeGreaterThan(60);
    const place = await page.locator('.scroller').evaluate(({ scrollTop }) => scrollTop);
    run.say(`\n\n${lines(20)}`);
    await chat.answer.getByText('Line 20').nth(1).waitFor({ state: 'attached' });
    expect(await page.locator('.scroller').evaluate(({ scrollTop }) => scrollTop)).toBe(place);

    await page.getByTestId('latest').waitFor();
    await page.mouse.wheel(0, 5_000);
    await page.getByTestId('latest').waitFor({ state: 'hidden' });
    run.say(`\n\n${lines(10)}`);
    await untilAtEnd(page);
    run.end();
    await chat.stands('completed');
  });

  it('never stands still for long while large tables, lists, code and paragraphs arrive at once', async () => {
    const { puppet, chat } = await open();
    const { page } = chat;
    await chat.ask('All of it');
    const run = await puppet.run();
    const count = (selector: string, wanted: number) =>
      page.waitForFunction(
        ([selector, wanted]) => document.querySelectorAll(`.assistant ${selector}`).length >= wanted,
        [selector, wanted] as const,
      );
    const longestTask = await watchTasks(page);
    run.say(
      `| a | b | c | d | e |\n|--|--|--|--|--|\n${times(1_000, (row) => `| ${row} | some *words* | 12 | x | y |\n`)}\n`,
    );
    await count('tbody tr', 1_000);
    run.say(times(2_000, (item) => `- item **${item}** of many\n`));
    await count('li', 2_000);
    run.say(`\n\n\`\`\`js\n${times(5_000, (line) => `const value${line} = compute(${line});\n`)}\`\`\`\n\n`);
    await page.getByRole('button', { name: /Show all 5.00\d lines/ }).waitFor();
    await page.waitForFunction(() => document.querySelector('pre')?.textContent.includes('value4999'));
    run.say(times(5_000, (word) => `word${word} `));
    await chat.answer.getByText('word4999').waitFor();
    run.end();
    await chat.stands('completed');
    expect(await longestTask()).toBeLessThan(MOST_BLOCKED_MS);
  });

  it('says that it thinks only while nothing else moves, and rings a running tool where it marks a done one', async () => {
    const { puppet, chat } = await open();
    await chat.ask('Two');
    const run = await puppet.run();
    run.startTool('a', 'Looking here…');
    run.startTool('b', 'Looking there…');
    run.endTool('b', { outcome: 'ok', durationMs: 3 });
    await chat.tools.nth(1).and(chat.page.locator('[data-outcome=ok]')).waitFor();
    await settled(chat.page);
    expect(await chat.answer.getByText('Thinking…').isVisible()).toBe(false);
    const middle = async (locator: Locator) => {
      const { x, width } = (await locator.boundingBox())!;
      return x + width / 2;
    };
    const marks = chat.page.locator('.tool-mark');
    expect(await middle(marks.nth(0).locator('.spinner'))).toBeCloseTo(await middle(marks.nth(1)), 0);
    run.endTool('a', { outcome: 'ok', durationMs: 3 });
    await chat.answer.getByText('Thinking…').waitFor();
    run.end();
    await chat.stands('completed');
  });

  it('keeps the arrow of a tool on the first line of a long label on a phone', async () => {
    const { puppet, chat } = await open({ viewport: { width: 360, height: 740 } });
    await chat.ask('Look');
    const run = await puppet.run();
    run.startTool('a', `Looking up ${'a long name '.repeat(5)}`, { name: 'x' });
    run.endTool('a', { outcome: 'ok', durationMs: 3 });
    run.end();
    await chat.stands('completed');
    const label = (await chat.answer.locator('.tool-label').boundingBox())!;
    const arrow = (await chat.answer.locator('.tool-toggle').boundingBox())!;
    expect(arrow.y).toBeLessThan(label.y + 20);
    expect(arrow.x).toBeGreaterThanOrEqual(label.x + label.width - 1);
  });

  it('writes each paragraph from the side where its language begins', async () => {
    const { puppet, chat } = await open();
    await chat.ask('مرحبا بالعالم');
    const run = await puppet.run();
    run.say('مرحبا.\n\nHello.\n\n- שלום\n\n| اسم | قيمة |\n|--|--|\n| واحد | 1 |\n\n> اقتباس');
    run.end();
    await chat.stands('completed');
    const direction = (locator: Locator) =>
      locator.evaluate((element) => getComputedStyle(element).direction);
    expect(await direction(chat.page.locator('.user p'))).toBe('rtl');
    expect(await direction(chat.answer.locator('.text p').first())).toBe('rtl');
    expect(await direction(chat.answer.locator('.text p').nth(1))).toBe('ltr');
    expect(await direction(chat.answer.locator('.text li'))).toBe('rtl');
    expect(await direction(chat.answer.locator('.text table'))).toBe('rtl');
    expect(await direction(chat.answer.locator('.text blockquote'))).toBe('rtl');
    const place = async (name: string) =>
      (await chat.answer.getByRole('columnheader', { name }).boundingBox())!.x;
    expect(await place('اسم')).toBeGreaterThan(await place('قيمة'));
    await chat.composer.fill('שלום');
    expect(await direction(chat.composer)).toBe('rtl');
  });

  it('leaves footnotes, prices and what is no formula as they were written', async () => {
    const { puppet, chat } = await open();
    await chat.ask('Maths');
    const run = await puppet.run();
    const broken = String.raw`\(a^2 \, \frac{b_1\), $x_1 \_ \nothing y$ and \[\sum_{i=1}^n i}\]`;
    run.say(`Take ${broken} for $5 or $6.[^1]\n\n[^1]: See *here*.`);
    run.end();
    await chat.stands('completed');
    const text = await chat.answer.locator('.text').innerText();
    expect(text).toContain(`Take ${broken} for $5 or $6.`);
    expect(text).not.toContain('[^1]');
    expect(await chat.answer.locator('.footnote em').innerText()).toBe('here');
  });

  it('folds long code and long questions, and titles a conversation by its first line', async () => {
    const { puppet, chat } = await open();
    const { page } = chat;
    const question = Array.from({ length: 400 }, (_, index) => `Question line ${index}`).join('\n');
    await chat.ask(question);
    const run = await puppet.run();
    await chat.title.filter({ hasText: /^Question line 0$/ }).waitFor();
    run.say(`\`\`\`\n${lines(300)}\n\`\`\``);
    run.end();
    await chat.stands('completed');
    for (const [locator, name] of [
      [page.locator('.user p'), 'Show all'],
      [chat.answer.locator('pre'), /Show all 599 lines/],
    ] as const) {
      const folded = (await locator.boundingBox())!.height;
      expect(folded).toBeLessThan(800);
      await page.getByRole('button', { name, exact: true }).click();
      expect((await locator.boundingBox())!.height).toBeGreaterThan(folded * 2);
    }
  });

  it('prints the whole conversation without its controls, and draws lines where colours are the system’s', async () => {
    const { puppet, chat } = await open();
    const { page } = chat;
    await chat.ask('Talk');
    const run = await puppet.run();
    run.say(lines(100));
    run.end();
    await chat.stands('completed');
    await page.emulateMedia({ media: 'print' });
    expect(await page.evaluate(() => document.documentElement.scrollHeight)).toBeGreaterThan(2_000);
    expect(await page.locator('.sidebar').isVisible()).toBe(false);
    expect(await chat.composer.isVisible()).toBe(false);
    await page.emulateMedia({ media: 'screen', forcedColors: 'active' });
    const border = await page
      .locator('.bubble')
      .evaluate((bubble) => getComputedStyle(bubble).borderTopStyle);
    expect(border).toBe('solid');
  });
});

function lines(count: number): string {
  return Array.from({ length: count }, (_, index) => `Line ${index + 1}`).join('\n\n');
}

function times(count: number, make: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => make(index)).join('');
}

/** Pixels of the conversation below what is seen. */
function leftBelow(page: Page): Promise<number> {
  return page
    .locator('.scroller')
    .evaluate(({ scrollHeight, scrollTop, clientHeight }) => scrollHeight - scrollTop - clientHeight);
}

/** Resolves once the end of the conversation is in view. */
async function untilAtEnd(page: Page): Promise<void> {
  await page.waitForFunction(() => {
    const { scrollHeight, scrollTop, clientHeight } = document.querySelector('.scroller')!;
    return scrollHeight - scrollTop - clientHeight < 2;
  });
}
