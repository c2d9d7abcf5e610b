import { expect, it } from '@jest/globals';
import { createChatAgent } from '../../src/agents/langgraph/index.js';
import { ScriptedModel } from '../../src/agents/langgraph/langgraph.testing.js';
import { createAnswer } from '../../src/testing/scripted.agent.js';
import { Deeds, obedientAgent } from '../security/tainted-servers.js';
import { chatServers } from '../support/chat.server.js';
import { sayOneByOne } from '../support/plays.js';
import { findViolations, LETS_AXE_IN } from './support/accessibility.js';
import { describeInChromium } from './support/browser.js';
import { ChatPage, toPageUrl } from './support/chat.page.js';
import { Puppet } from './support/puppet.js';

/** Rejects once the model call is aborted. */
function untilAborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason as Error));
  });
}

describeInChromium('branches on the page', (chromium) => {
  const serve = chatServers();

  /** An agent that counts what it is asked, so that no two answers are the same. */
  async function echoing() {
    let asked = 0;
    return serve({
      play: ({ message }, context) =>
        sayOneByOne(context, createAnswer(context, [`${++asked}: ${message}.`])),
    });
  }

  async function puppeteer() {
    const puppet = new Puppet();
    const server = await serve({ play: puppet.play });
    return { puppet, server, chat: new ChatPage(await chromium.visit(toPageUrl(server))) };
  }

  const questions = (chat: ChatPage) => chat.page.locator('[data-role=user] p');
  const edited = (chat: ChatPage) => chat.page.getByRole('textbox', { name: 'Edited message' });
  const version = (chat: ChatPage, name: string) => chat.page.getByRole('group', { name, exact: true });

  async function edit(chat: ChatPage, from: string, to: string) {
    await chat.page.locator('[data-role=user]').filter({ hasText: from }).hover();
    const message = chat.page.locator('[data-role=user]').filter({ hasText: from });
    await message.getByRole('button', { name: 'Edit this message' }).click();
    await edited(chat).fill(to);
    await edited(chat).press('Enter');
  }

  it('edits a message in its place, and goes through the versions by keyboard, also after a reload', async () => {
    const server = await echoing();
    const chat = new ChatPage(await chromium.visit(toPageUrl(server), LETS_AXE_IN));
    const { page } = chat;
    await chat.ask('one');
    await chat.shows('1: one.');
    await chat.stands('completed');
    await chat.ask('two');
    await chat.shows('2: two.');
    await chat.stands('completed');
    await edit(chat, 'one', 'ten');
    await chat.shows('3: ten.');
    await chat.stands('completed');
    expect(await questions(chat).allInnerTexts()).toEqual(['ten']);
    await version(chat, 'Version 2 of 2').waitFor();
    expect(await findViolations(page)).toEqual([]);

    await page.getByRole('button', { name: 'Previous version' }).focus();
    await page.keyboard.press('Enter');
    await chat.shows('2: two.');
    await version(chat, 'Version 1 of 2').waitFor();
    expect(await questions(chat).allInnerTexts()).toEqual(['one', 'two']);
    expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe(
      'Previous version',
    );
    await page.getByRole('button', { name: 'Edit this message' }).first().click();
    expect(await findViolations(page)).toEqual([]);

    await page.reload();
    await chat.shows('2: two.');
    await version(chat, 'Version 1 of 2').waitFor();
    await chat.ask('three');
    await chat.shows('4: three.');
    await chat.stands('completed');
    expect(await questions(chat).allInnerTexts()).toEqual(['one', 'two', 'three']);
    await page.reload();
    await chat.shows('4: three.');
    await page.getByRole('button', { name: 'Next version' }).click();
    await chat.shows('3: ten.');
  });

  it('makes an answer again, and keeps both', async () => {
    const server = await echoing();
    const chat = new ChatPage(await chromium.visit(toPageUrl(server)));
    await chat.ask('one');
    await chat.shows('1: one.');
    await chat.stands('completed');
    await chat.answer.getByRole('button', { name: 'Answer again' }).click();
    await chat.shows('2: one.');
    await chat.stands('completed');
    await version(chat, 'Version 2 of 2').waitFor();
    expect(await questions(chat).allInnerTexts()).toEqual(['one']);
    await chat.page.getByRole('button', { name: 'Previous version' }).click();
    await chat.shows('1: one.');
  });

  it('leaves an edit, and not the answer, by Escape, and keeps what was typed in one that is open', async () => {
    const { puppet, chat } = await puppeteer();
    const { page } = chat;
    await chat.ask('first');
    (await puppet.run()).end();
    await chat.stands('completed');
    await chat.ask('second');
    const run = await puppet.run();
    await chat.stands('running');
    const open = () =>
      page.locator('[data-role=user]').first().getByRole('button', { name: 'Edit this message' }).click();
    await open();
    await edited(chat).press('Escape');
    expect(await edited(chat).count()).toBe(0);
    await open();
    await edited(chat).fill('first, but');
    // What an input method takes for itself.
    await edited(chat).dispatchEvent('keydown', { key: 'Enter', isComposing: true });
    await edited(chat).dispatchEvent('keydown', { key: 'Escape', isComposing: true });
    expect(await edited(chat).inputValue()).toBe('first, but');
    run.end();
    await chat.stands('completed');
    await page.reload();
    await chat.stands('completed');
    await open();
    expect(await edited(chat).inputValue()).toBe('first, but');
    await edited(chat).press('Escape');
    expect(await edited(chat).count()).toBe(0);
    await open();
    expect(await edited(chat).inputValue()).toBe('first');
  });

  it('gives an edit back that the server refuses, where it was written', async () => {
    const server = await echoing();
    const chat = new ChatPage(await chromium.visit(toPageUrl(server), { mayFail: true }));
    const { page } = chat;
    await chat.ask('one');
    await chat.shows('1: one.');
    await chat.stands('completed');
    const refusal = { status: 413, code: 'REQUEST_TOO_LARGE', detail: 'The message is too long.' };
    await page.route('**/api/chat/runs', (route) => route.fulfill({ status: 413, json: refusal }), {
      times: 1,
    });
    await edit(chat, 'one', 'ten');
    await page.getByRole('button', { name: 'Edit message' }).click();
    await chat.shows('1: one.');
    expect(await edited(chat).inputValue()).toBe('ten');
    await edited(chat).press('Enter');
    await chat.shows('2: ten.');
    expect(await questions(chat).allInnerTexts()).toEqual(['ten']);
  });

  it('asks for no decision in a branch that was left while it waited', async () => {
    const server = await serve(obedientAgent(new Deeds()));
    const chat = new ChatPage(await chromium.visit(toPageUrl(server)));
    await chat.ask('read send');
    await chat.stands('awaiting-input');
    await chat.page.getByTestId('open-requests').waitFor();
    await edit(chat, 'read send', 'read');
    await chat.stands('completed');
    await chat.page.getByRole('button', { name: 'Previous version' }).click();
    await chat.stands('awaiting-input');
    expect(await chat.page.getByRole('button', { name: 'Approve' }).count()).toBe(0);
    expect(await chat.page.getByTestId('open-requests').isVisible()).toBe(false);
  });

  it('asks the model once when a failed answer is tried again, and goes on from a stopped one', async () => {
    const model = new ScriptedModel((_, call) => {
      if (call === 1) return { failure: new Error('Overloaded.') };
      return call === 2 ? { chunks: ['Half of it'], hold: untilAborted } : { chunks: ['All of it'] };
    });
    const server = await serve({
      agents: (kit) => [createChatAgent({ ...kit, name: 'chat', description: 'Talks.', model })],
    });
    const chat = new ChatPage(await chromium.visit(toPageUrl(server)));
    const read = () => model.requests.at(-1)!.map(({ text }) => text);
    await chat.ask('Hello?');
    await chat.stands('failed');
    await chat.retry.click();
    await chat.shows('Half of it');
    expect(await questions(chat).allInnerTexts()).toEqual(['Hello?']);
    expect(read().filter((text) => text === 'Hello?')).toHaveLength(1);
    await chat.stop.click();
    await chat.stands('cancelled');
    await version(chat, 'Version 2 of 2').waitFor();
    await chat.ask('Go on');
    await chat.shows('All of it');
    expect(read()).toEqual(['Hello?', expect.stringMatching(/^Half of it/), 'Go on']);
  });

  it('waits with a message while another version is answered in another tab, and shows that when asked', async () => {
    const { puppet, chat } = await puppeteer();
    const { page } = chat;
    await chat.ask('one');
    (await puppet.run()).end();
    await chat.stands('completed');
    await edit(chat, 'one', 'ten');
    (await puppet.run()).end();
    await chat.stands('completed');
    await page.getByRole('button', { name: 'Previous version' }).click();
    await version(chat, 'Version 1 of 2').waitFor();

    const other = new ChatPage(await page.context().newPage());
    await other.page.goto(page.url().replace(/&branch=.*/, ''));
    await version(other, 'Version 2 of 2').waitFor();
    await other.ask('eleven');
    const eleven = await puppet.run();
    await page.bringToFront();
    await page.getByText('Another version of this conversation is being answered.').waitFor();
    expect(await questions(chat).allInnerTexts()).toEqual(['one']);
    await chat.ask('after one');
    await page.getByTestId('queued').waitFor();
    eleven.say('Nearly');
    await page.getByRole('button', { name: 'Show it' }).click();
    await chat.shows('Nearly');
    expect(await chat.composer.inputValue()).toBe('after one');
    await page.getByRole('button', { name: 'Previous version' }).click();
    // What is sent before would go to the version that is being left.
    await version(chat, 'Version 1 of 2').waitFor();
    await chat.ask(await chat.composer.inputValue());
    await page.getByTestId('queued').waitFor();
    eleven.end();
    const last = await puppet.run();
    expect(last.message).toBe('after one');
    last.say('Done');
    last.end();
    await chat.shows('Done');
    expect(await questions(chat).allInnerTexts()).toEqual(['one', 'after one']);
  });
});
