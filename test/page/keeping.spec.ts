import { expect, it } from '@jest/globals';
import { AppError } from '../../src/errors.js';
import { ScriptedAgent } from '../../src/testing/scripted.agent.js';
import { chatServers, type ChatServerOptions } from '../support/chat.server.js';
import { until, untilEqual } from '../support/until.js';
import { describeInChromium } from './support/browser.js';
import { ChatPage, toPageUrl } from './support/chat.page.js';
import { Puppet } from './support/puppet.js';

const KEY = 'a-key-of-some-length';

describeInChromium('keeping what people type', (chromium) => {
  const serve = chatServers();

  async function open(options: ChatServerOptions = {}) {
    const puppet = new Puppet();
    const server = await serve({ play: puppet.play, ...options });
    const chat = new ChatPage(await chromium.visit(toPageUrl(server), { mayFail: true }));
    const queued = chat.page.getByTestId('queued');
    return { puppet, server, chat, queued };
  }

  it('keeps a draft for each conversation, also after a reload, and forgets it at sign-out', async () => {
    const { puppet, chat } = await open({
      auth: { kind: 'credentials', apiKeys: [{ key: KEY, userId: 'ann', tenant: 'acme' }] },
    });
    const { page } = chat;
    await chat.signIn(KEY);
    await chat.ask('One');
    (await puppet.run()).end();
    await chat.stands('completed');
    await chat.composer.fill('half a thought');
    await page.getByRole('button', { name: 'New conversation' }).click();
    expect(await chat.composer.inputValue()).toBe('');
    await chat.composer.fill('another one');
    await page.reload();
    await chat.threads.first().waitFor();
    expect(await chat.composer.inputValue()).toBe('another one');
    await chat.threads.getByRole('link').first().click();
    await chat.stands('completed');
    expect(await chat.composer.inputValue()).toBe('half a thought');

    await page.getByRole('button', { name: 'Sign out' }).click();
    await chat.token.waitFor();
    // The page before may ask for a sign-in as well, until it is left.
    await page.waitForFunction(() => !/thought|another/.test(JSON.stringify(localStorage)));
  });

  it('shows no draft to the next person when a session has ended by itself, and keeps it for its own', async () => {
    const OTHER = 'another-key-of-some-length';
    const { chat } = await open({
      auth: {
        kind: 'credentials',
        apiKeys: [
          { key: KEY, userId: 'ann', tenant: 'acme' },
          { key: OTHER, userId: 'bob', tenant: 'acme' },
        ],
      },
    });
    const { page } = chat;
    const lapse = async () => {
      await page.context().clearCookies();
      await page.reload();
      await chat.token.waitFor();
      await until(async () => (await chat.composer.inputValue()) === '');
    };
    await chat.signIn(KEY);
    await chat.composer.fill('half a thought');
    await lapse();
    await chat.signIn(KEY);
    expect(await chat.composer.inputValue()).toBe('half a thought');

    await lapse();
    await chat.signIn(OTHER);
    await until(async () => !/thought/.test(await page.evaluate(() => JSON.stringify(localStorage))));
    await until(async () => (await chat.composer.inputValue()) === '');
    await page.getByRole('button', { name: 'Sign out' }).waitFor();
    await chat.composer.fill('mine');
    await page.reload();
    await page.getByRole('button', { name: 'Sign out' }).waitFor();
    expect(await chat.composer.inputValue()).toBe('mine');
  });

  it('keeps the newest of very many drafts', async () => {
    const { chat } = await open();
    const { page } = chat;
    await page.evaluate(() => {
      for (let each = 0; each < 300; each += 1) localStorage.setItem(`draft:gone-${each}`, 'old');
    });
    await chat.composer.fill('mine');
    await until(async () => (await page.evaluate(() => localStorage.length)) < 250);
    await page.reload();
    expect(await chat.composer.inputValue()).toBe('mine');
  });

  it('keeps the newest draft after one for which there was no room', async () => {
    const { puppet, chat } = await open();
    const { page } = chat;
    await chat.ask('One');
    (await puppet.run()).end();
    await chat.stands('completed');
    await page.evaluate(() => {
      Storage.prototype.setItem = new Proxy(Reflect.get(Storage.prototype, 'setItem'), {
        apply(set, storage, [key, text]: string[]) {
          if (text!.endsWith('too long')) throw new DOMException('', 'QuotaExceededError');
          return Reflect.apply(set, storage, [key, text]);
        },
      });
    });
    await chat.composer.fill('a thought that is too long');
    await chat.composer.fill('a thought');
    await page.getByRole('button', { name: 'New conversation' }).click();
    await until(async () => (await chat.composer.inputValue()) === '');
    await chat.threads.getByRole('link').first().click();
    await chat.stands('completed');
    expect(await chat.composer.inputValue()).toBe('a thought');
  });

  it('sends what was typed during an answer after it, unless it is taken back', async () => {
    const { puppet, chat, queued } = await open();
    await chat.ask('One');
    const first = await puppet.run();
    for (const message of ['Two', 'Three', 'Four']) await chat.ask(message);
    await untilEqual(() => queued.allInnerTexts(), ['Two', 'Three', 'Four']);
    await queued.nth(2).getByRole('button', { name: 'Remove' }).click();
    await queued.nth(1).getByRole('button', { name: 'Edit' }).click();
    expect(await chat.composer.inputValue()).toBe('Three');
    await chat.composer.fill('Three and a half');
    await chat.composer.press('Enter');
    first.end();
    const second = await puppet.run();
    expect(second.message).toBe('Two');
    await untilEqual(() => queued.allInnerTexts(), ['Three and a half']);

    // Until it is known that it was sent, the second one is kept as well.
    await chat.stands('running');
    await chat.page.reload();
    await chat.stop.waitFor();
    expect(await chat.composer.inputValue()).toBe('Three and a half');
    await chat.composer.press('Enter');
    await chat.stop.click();
    await chat.stands('cancelled');
    // What stopped the answer may have changed the next question as well.
    await queued.waitFor();
    await chat.page.getByRole('button', { name: 'Send now' }).click();
    const third = await puppet.run();
    expect(third.message).toBe('Three and a half');
    third.end();
    await chat.stands('completed');
  });

  it('leaves keys to input methods and keyboard layouts', async () => {
    const { puppet, chat } = await open();
    await chat.ask('One');
    const run = await puppet.run();
    run.say('Words');
    await chat.shows('Words');
    const press = (
      key: Pick<KeyboardEventInit, 'key' | 'code' | 'keyCode' | 'isComposing' | 'altKey' | 'ctrlKey'>,
    ) =>
      chat.composer.evaluate(
        (field, key) =>
          field.dispatchEvent(new KeyboardEvent('keydown', { bubbles: true, composed: true, ...key })),
        key,
      );
    await chat.composer.fill('にほ');
    await press({ key: 'Escape', isComposing: true });
    await press({ key: 'Escape', keyCode: 229 });
    await press({ key: 'Enter', keyCode: 229 });
    // Polish ń, as Windows reports it.
    await press({ key: 'ń', code: 'KeyN', altKey: true, ctrlKey: true });
    run.say(' and more');
    await chat.shows('Words and more');
    expect(await chat.composer.inputValue()).toBe('にほ');
    expect(await chat.stop.isEnabled()).toBe(true);
    await press({ key: 'n', code: 'KeyN', altKey: true });
    await chat.page.getByRole('heading', { name: 'Ask, and watch it work.' }).waitFor();
    run.end();
  });

  it('continues a conversation with the agent that has answered in it', async () => {
    const puppet = new Puppet();
    const server = await serve({
      agents: () => ['first', 'second'].map((name) => new ScriptedAgent(puppet.play, { name })),
    });
    const chat = new ChatPage(await chromium.visit(toPageUrl(server)));
    const agent = chat.page.getByRole('combobox', { name: 'Agent' });
    await agent.selectOption('second');
    await chat.ask('One');
    (await puppet.run()).end();
    await chat.stands('completed');
    const address = chat.page.url();
    await chat.page.getByRole('button', { name: 'New conversation' }).click();
    await agent.selectOption('first');
    await chat.page.goto(address);
    await chat.stands('completed');
    await chat.page.waitForFunction(() => document.querySelector('select')?.value === 'second');
    await chat.page.getByRole('button', { name: 'New conversation' }).click();
    await chat.page.waitForFunction(() => document.querySelector('select')?.value === 'first');
  });

  it('shows in an idle tab what another tab asks, and leaves its reader where they are', async () => {
    const { puppet, chat } = await open();
    await chat.ask('One');
    const first = await puppet.run();
    first.say(Array.from({ length: 60 }, (_, index) => `Line ${index}`).join('\n\n'));
    first.end();
    await chat.stands('completed');
    const tab = await chat.page.context().newPage();
    await tab.goto(chat.page.url());
    const other = new ChatPage(tab);
    await other.stands('completed');
    await tab.locator('.scroller').evaluate((scroller) => (scroller.scrollTop = 100));
    await tab.getByTestId('latest').waitFor();
    await chat.ask('Two');
    const second = await puppet.run();
    second.say('Seen');
    await other.shows('Seen');
    expect(await tab.locator('.scroller').evaluate(({ scrollTop }) => scrollTop)).toBe(100);
    second.end();
    await other.stands('completed');
  });

  it('holds no stream in a hidden tab, and continues where it was when it is seen again', async () => {
    const { puppet, server, chat } = await open();
    const see = (state: string) =>
      chat.page.evaluate((state) => {
        Object.defineProperty(document, 'visibilityState', { configurable: true, value: state });
        Object.defineProperty(document, 'hidden', { configurable: true, value: state === 'hidden' });
        document.dispatchEvent(new Event('visibilitychange'));
      }, state);
    await chat.ask('One');
    const run = await puppet.run();
    run.say('Before ');
    await chat.shows('Before');
    expect(server.readers).toBe(1);
    await see('hidden');
    await until(() => server.readers === 0);
    run.say('between');
    await see('visible');
    await chat.shows('Before between');
    run.end();
    await chat.stands('completed');
  });

  it('counts down to the next attempt, says the reason once, and gives the message back for a change', async () => {
    const { puppet, chat } = await open({ throttling: { startsPerMinute: 1, maxOpenStreams: 10 } });
    await chat.ask('One');
    (await puppet.run()).end();
    await chat.stands('completed');
    await chat.ask('Two');
    const again = chat.page.getByRole('button', { name: /^Try again in \d+ s$/ });
    await again.waitFor();
    expect(await again.isDisabled()).toBe(true);
    expect((await chat.answer.innerText()).match(/again/gi)).toHaveLength(1);
    await chat.page.getByRole('button', { name: 'Edit message' }).click();
    await untilEqual(() => chat.composer.inputValue(), 'Two');
    await until(async () => (await chat.page.locator('[data-role=user]').count()) === 1);
  });

  it('gives a message back that is too long to be sent, and keeps it over a reload', async () => {
    const { chat } = await open();
    const text = 'long '.repeat(60_000).trim();
    await chat.composer.evaluate((field: HTMLTextAreaElement, text) => {
      field.value = text;
      field.dispatchEvent(new Event('input', { bubbles: true }));
    }, text);
    await chat.composer.press('Enter');
    await chat.answer.getByText('Shorten your message').waitFor();
    expect(await chat.retry.count()).toBe(0);
    await chat.page.reload();
    expect(await chat.composer.inputValue()).toBe(text);
  });

  it('names the run to quote when an answer fails, and the reason why it cannot be followed', async () => {
    const { puppet, server, chat } = await open({ throttling: { startsPerMinute: 100, maxOpenStreams: 1 } });
    await chat.ask('One');
    (await puppet.run()).fail(new AppError('MODEL_OVERLOADED', 'The model is overloaded.'));
    await chat.stands('failed');
    const { body } = await server.call('GET', '/runs');
    const [{ id }] = body['items'] as [{ id: string }];
    await chat.answer.getByText(`Run ${id}`).waitFor();

    const { runId } = await server.startRun();
    const elsewhere = await puppet.run();
    const stream = await server.watch(runId);
    await chat.ask('Two');
    await chat.badge.getByText(/streams.*Reconnecting/).waitFor();
    stream.leave();
    elsewhere.end();
    (await puppet.run()).end();
  });

  it('begins a new conversation when something is asked where there is none', async () => {
    const { puppet, server, chat } = await open();
    await chat.page.goto(`${toPageUrl(server)}?thread=nowhere`);
    await chat.page.getByRole('heading', { name: "This conversation doesn't exist" }).waitFor();
    await chat.ask('One');
    const run = await puppet.run();
    run.say('Here');
    run.end();
    await chat.shows('Here');
    expect(chat.threadId).not.toBe('nowhere');
  });

  it('sends the question that had to wait for the sign-in', async () => {
    const { puppet, chat } = await open({
      auth: { kind: 'credentials', apiKeys: [{ key: KEY, userId: 'ann', tenant: 'acme' }] },
    });
    const { page } = chat;
    // What the page asks by itself after a sign-in. Without the cookie, it would be this that asks for another one.
    const isOffered = page.waitForResponse(/\/api\/chat\/agents$/);
    await chat.signIn(KEY);
    await isOffered;
    await page.getByText('Your conversations appear here.').waitFor();
    await chat.composer.fill('Are you there?');
    await page.context().clearCookies();
    await chat.composer.press('Enter');
    await chat.signIn(KEY);
    const run = await puppet.run();
    expect(run.message).toBe('Are you there?');
    run.end();
    await chat.stands('completed');
  });
});
