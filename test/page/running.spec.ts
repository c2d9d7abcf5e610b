import { expect, it } from '@jest/globals';
import { AppError } from '../../src/errors.js';
import { chatServers } from '../support/chat.server.js';
import { describeInChromium } from './support/browser.js';
import { ChatPage, toPageUrl } from './support/chat.page.js';
import { Puppet } from './support/puppet.js';

describeInChromium('page during a run', (chromium) => {
  const serve = chatServers();

  async function open() {
    const puppet = new Puppet();
    const server = await serve({ play: puppet.play });
    return { puppet, chat: new ChatPage(await chromium.visit(toPageUrl(server))) };
  }

  it('shows each piece of text as it arrives, before the run has completed', async () => {
    const { puppet, chat } = await open();
    await chat.ask('Say three words');
    const run = await puppet.run();
    expect(run.message).toBe('Say three words');
    for (const [said, shown] of [
      ['One ', 'One'],
      ['two ', 'One two'],
      ['three', 'One two three'],
    ] as const) {
      run.say(said);
      await chat.shows(shown);
    }
    await chat.stands('running');
    run.end();
    await chat.stands('completed');
    expect(await chat.words()).toBe('One two three');
  });

  it('shows for each tool its label, progress, outcome, duration and details', async () => {
    const { puppet, chat } = await open();
    await chat.ask('Search');
    const run = await puppet.run();
    run.startTool('a', 'Searching the web…', { query: 'sse' });
    run.startTool('b', 'Looking up 3 tables…');
    run.progress('b', '2 of 3', 0.66);
    await chat.tools.nth(0).getByText('Searching the web…').waitFor();
    await chat.tools.nth(1).getByText('2 of 3').waitFor();
    expect(await chat.tools.nth(1).getByRole('progressbar').getAttribute('value')).toBe('0.66');

    run.endTool('a', { outcome: 'ok', output: { hits: 4 }, durationMs: 1_240 });
    run.endTool('b', {
      outcome: 'timeout',
      durationMs: 61_000,
      error: { code: 'TOOL_TIMEOUT', message: 'The tables did not answer in time.', retryable: true },
    });
    await chat.tools.nth(0).and(chat.page.locator('[data-outcome=ok]')).waitFor();
    await chat.tools.nth(1).and(chat.page.locator('[data-outcome=timeout]')).waitFor();
    expect(await chat.tools.nth(0).innerText()).toMatch(/done:\s*Searching the web\s*1\.2 s/);
    expect(await chat.tools.nth(1).innerText()).toMatch(/The tables did not answer in time\.\s*1 min 01 s/);

    await chat.page.getByRole('button', { name: 'Details: Searching the web' }).click();
    await chat.tools.nth(0).getByText('"hits": 4').waitFor();
    run.end();
    await chat.stands('completed');
  });

  it("shows how long a tool has run even if the browser's clock is an hour fast", async () => {
    const puppet = new Puppet();
    const context = await chromium.context();
    await context.addInitScript(() => {
      const now = Date.now.bind(Date);
      Date.now = () => now() + 3_600_000;
    });
    const page = await context.newPage();
    await page.goto(toPageUrl(await serve({ play: puppet.play })));
    const chat = new ChatPage(page);
    await chat.ask('Search');
    const run = await puppet.run();
    run.startTool('a', 'Searching the web…');
    const time = chat.tools.nth(0).locator('.tool-time');
    await time.filter({ hasText: /\d s$/ }).waitFor();
    expect(await time.innerText()).not.toContain('min');
    run.end();
    await chat.stands('completed');
  });

  it('keeps the partial text and tools of a stopped run, also after a reload', async () => {
    const { puppet, chat } = await open();
    await chat.ask('A long story');
    const run = await puppet.run();
    run.startTool('a', 'Thinking of a story…');
    run.endTool('a', { outcome: 'ok', durationMs: 3 });
    run.startTool('b', 'Writing…');
    run.say('Once upon a time');
    await chat.shows('Once upon a time');
    await chat.stop.click();
    await chat.stands('cancelled');
    await expect(run.over).rejects.toBeDefined();
    await chat.page.reload();
    await chat.stands('cancelled');
    await chat.shows('Once upon a time');
    await chat.answer.getByText('Stopped.').waitFor();
    expect(await chat.tools.nth(1).getAttribute('data-outcome')).toBe('cancelled');
  });

  it('shows why a run failed, keeps its partial text, and asks again on retry', async () => {
    const { puppet, chat } = await open();
    await chat.ask('Try');
    const first = await puppet.run();
    first.say('It begins');
    first.fail(new AppError('MODEL_OVERLOADED', 'The model is overloaded.', { retryable: true }));
    await chat.stands('failed');
    await chat.shows('It begins');
    await chat.answer.getByText('The model is overloaded. Asking again may help.').waitFor();

    await chat.retry.click();
    const second = await puppet.run();
    expect(second.message).toBe('Try');
    second.fail(new AppError('MODEL_OVERLOADED', 'Still overloaded: try again later.', { retryable: true }));
    await chat.stands('failed');
    // The remedy is said once.
    await chat.answer.getByText('Still overloaded: try again later.', { exact: true }).waitFor();

    await chat.retry.click();
    const third = await puppet.run();
    third.say('It works');
    third.end();
    await chat.stands('completed');
    await chat.shows('It works');
    expect(await chat.retry.count()).toBe(0);
  });

  it('hides the internal message of an error that an agent throws', async () => {
    const { puppet, chat } = await open();
    await chat.ask('Break');
    (await puppet.run()).fail(new Error('connect ECONNREFUSED 10.0.0.7:5432'));
    await chat.stands('failed');
    expect(await chat.answer.innerText()).not.toContain('10.0.0.7');
  });

  it("continues after a reload with the tool's true start, and shows the same history after the end", async () => {
    const { puppet, chat } = await open();
    await chat.ask('Count');
    const run = await puppet.run();
    run.say('One ');
    run.startTool('a', 'Counting…');
    await chat.tools.first().waitFor();
    await chat.page.waitForFunction(
      () => Number.parseFloat(document.querySelector('.tool-time')!.textContent) >= 0.5,
    );
    await chat.page.reload();
    const time = chat.tools.first().locator('.tool-time').filter({ hasText: /\d/ });
    const elapsed = Number.parseFloat(await time.innerText());
    expect(elapsed).toBeGreaterThanOrEqual(0.5);

    run.endTool('a', { outcome: 'ok', durationMs: 900 });
    run.say('two');
    await chat.shows('One two');
    run.end();
    await chat.stands('completed');
    await chat.page.reload();
    await chat.stands('completed');
    await chat.shows('One two');
    await chat.page.locator('[data-role=user]').getByText('Count').waitFor();
  });

  it('continues when the reader comes back from another page', async () => {
    const { puppet, chat } = await open();
    await chat.ask('Wait for me');
    const run = await puppet.run();
    run.say('Here ');
    await chat.shows('Here');
    await chat.page.goto('about:blank');
    run.say('again');
    await chat.page.goBack();
    await chat.shows('Here again');
    run.end();
    await chat.stands('completed');
  });

  it('shows the same in two tabs, one of which was opened late', async () => {
    const { puppet, chat } = await open();
    await chat.ask('For both');
    const run = await puppet.run();
    run.say('Early ');
    await chat.shows('Early');
    const tab = await chat.page.context().newPage();
    await tab.goto(chat.page.url());
    const other = new ChatPage(tab);
    await other.shows('Early');
    run.say('and late');
    await Promise.all([chat.shows('Early and late'), other.shows('Early and late')]);
    run.end();
    await Promise.all([chat.stands('completed'), other.stands('completed')]);
    expect(await other.answer.innerText()).toBe(await chat.answer.innerText());
  });
});
