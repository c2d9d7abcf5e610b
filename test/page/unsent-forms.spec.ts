import { expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { AIMessage } from '@langchain/core/messages';
import { END, interrupt, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
import { z } from 'zod';
import { createChatAgent, LangGraphAgent } from '../../src/agents/langgraph/index.js';
import { findToolMessages, ScriptedModel } from '../../src/agents/langgraph/langgraph.testing.js';
import { AgentTool } from '../../src/index.js';
import { chatServers, type ChatServerOptions } from '../support/chat.server.js';
import { until } from '../support/until.js';
import { describeInChromium } from './support/browser.js';
import { ChatPage, toPageUrl } from './support/chat.page.js';

const ORDER = z.object({
  to: z.string(),
  // A form hides its own list of controls behind one of this name.
  elements: z.number(),
  gift: z.boolean(),
  speed: z.enum(['slow', 'fast']),
  colors: z.array(z.enum(['red', 'blue'])),
  address: z.object({ 'street/no': z.string() }),
});
const ASKED = {
  to: 'Ada',
  elements: 1,
  gift: false,
  speed: 'slow',
  colors: ['red'],
  address: { 'street/no': 'Main 1' },
};
const KEY = 'a-key-of-some-length';
const OTHER = 'another-key-of-some-length';
const SIGNED_IN: ChatServerOptions = {
  auth: {
    kind: 'credentials',
    apiKeys: [
      { key: KEY, userId: 'ann', tenant: 'acme' },
      { key: OTHER, userId: 'bob', tenant: 'acme' },
    ],
  },
};

const ordered: unknown[] = [];

@Injectable()
class Orders {
  @AgentTool({ name: 'order', label: 'Ordering…', description: 'Orders.', input: ORDER, approval: true })
  order(input: z.output<typeof ORDER>): string {
    ordered.push(input);
    return 'done';
  }
}

describeInChromium('forms that are half filled in', (chromium) => {
  const serve = chatServers();

  async function asked(options: ChatServerOptions = {}) {
    const model = new ScriptedModel((messages) =>
      findToolMessages(messages).length > 0 || messages.at(-1)?.text === 'Leave it'
        ? { chunks: ['All done.'] }
        : { calls: [{ id: 'o', name: 'order', args: JSON.stringify(ASKED) }] },
    );
    const server = await serve({
      agents: (kit) => [createChatAgent({ ...kit, name: 'chat', description: 'Orders.', model })],
      tools: [Orders],
      ...options,
    });
    const chat = new ChatPage(await chromium.visit(toPageUrl(server), { mayFail: true }));
    const { page } = chat;
    const token = page.getByLabel('Access token or API key');
    const signIn = async (key: string) => {
      await token.fill(key);
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByRole('button', { name: 'Sign out' }).waitFor();
    };
    if (options.auth) await signIn(KEY);
    await chat.ask('Order!');
    await chat.stands('awaiting-input');
    const card = page.getByTestId('approval');
    const press = (name: string) => card.getByRole('button', { name, exact: true }).click();
    const reload = async () => {
      await page.reload();
      await chat.stands('awaiting-input');
    };
    /** Returns what this browser keeps of forms. */
    const kept = () =>
      page.evaluate(() =>
        Object.entries(localStorage)
          .filter(([key]) => key.includes('/inputs/'))
          .map(([, text]) => String(text)),
      );
    return { chat, page, card, press, reload, kept, signIn, token };
  }

  it('keeps each kind of control over a reload and a visit elsewhere, and forgets it once it is sent', async () => {
    const { chat, page, card, press, reload, kept } = await asked();
    await press('Change…');
    await card.getByLabel('to', { exact: true }).fill('Bob');
    await card.getByLabel('elements').fill('');
    await card.getByLabel('gift').check();
    await card.getByLabel('speed').selectOption('fast');
    await card.getByLabel('colors').selectOption(['blue', 'red']);
    await card.getByLabel('street/no').fill('Side 2');

    await reload();
    const address = page.url();
    await page.getByRole('button', { name: 'New conversation' }).click();
    await page.goto(address);
    await chat.stands('awaiting-input');
    expect(await card.getByLabel('to', { exact: true }).inputValue()).toBe('Bob');
    expect(await card.getByLabel('elements').inputValue()).toBe('');
    expect(await card.getByLabel('gift').isChecked()).toBe(true);
    // The form is there again, and takes no focus by itself.
    expect(await card.evaluate((shown) => shown.contains(document.activeElement))).toBe(false);
    await card.getByLabel('elements').fill('7');
    await press('Approve with changes');
    await chat.stands('completed');
    expect(ordered.at(-1)).toEqual({
      to: 'Bob',
      elements: 7,
      gift: true,
      speed: 'fast',
      colors: ['red', 'blue'],
      address: { 'street/no': 'Side 2' },
    });
    expect(await kept()).toEqual([]);
  });

  it('keeps arguments that are written as JSON and the reason for a denial, until the person goes back', async () => {
    const { chat, card, press, reload, kept } = await asked();
    await press('Change…');
    await card.getByLabel('to', { exact: true }).fill('Bob');
    await press('Edit as JSON');
    await reload();
    const json = card.getByLabel('Arguments, as JSON');
    expect(JSON.parse(await json.inputValue())).toEqual({ ...ASKED, to: 'Bob' });
    await json.fill('{"to":');
    await reload();
    expect(await json.inputValue()).toBe('{"to":');

    await press('Back');
    expect(await kept()).toEqual([]);
    await press('Deny…');
    const reason = card.getByLabel('Why not');
    await reason.fill('She has enough.');
    await reload();
    expect(await reason.inputValue()).toBe('She has enough.');
    await press('Deny');
    await chat.stands('completed');
    await card.getByText('“She has enough.”').waitFor();
    expect(await kept()).toEqual([]);
  });

  it('keeps a form beside a message that was refused, and forgets it when a message has closed it', async () => {
    const { chat, page, card, press, reload, kept } = await asked();
    await press('Deny…');
    await card.getByLabel('Why not').fill('Half a rea');
    await page.route('**/api/chat/runs', (route) =>
      route.fulfill({ status: 413, json: { code: 'REQUEST_TOO_LARGE', detail: 'It is too long.' } }),
    );
    await chat.ask('Leave it');
    await chat.answer.getByRole('button', { name: 'Edit message' }).waitFor();
    expect(await kept()).toHaveLength(1);
    await page.unroute('**/api/chat/runs');
    await reload();
    expect(await card.getByLabel('Why not').inputValue()).toBe('Half a rea');
    expect(await chat.composer.inputValue()).toBe('Leave it');
    await chat.composer.press('Enter');
    await chat.stands('completed');
    await until(async () => (await kept()).length === 0);
  });

  it('forgets a form that was answered in another tab', async () => {
    const { chat, page, press, card, kept } = await asked();
    const tab = await page.context().newPage();
    await tab.goto(page.url());
    await new ChatPage(tab).stands('awaiting-input');
    await tab.getByRole('button', { name: 'Deny…' }).click();
    await tab.getByLabel('Why not').fill('Half a rea');
    await until(async () => (await kept()).length === 1);
    await press('Approve');
    await chat.stands('completed');
    await card.getByText('Approved by').waitFor();
    await tab.getByText('Approved by').waitFor();
    await until(async () => (await kept()).length === 0);
  });

  it('shows no form to the next person, and leaves none behind at sign-out', async () => {
    const { page, card, press, reload, kept, signIn, token } = await asked(SIGNED_IN);
    const fill = async () => {
      await press('Deny…');
      await card.getByLabel('Why not').fill('A secret of Ann');
    };
    await fill();
    await reload();
    expect(await kept()).toHaveLength(1);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await token.waitFor();
    expect(await kept()).toEqual([]);

    await signIn(KEY);
    await page.getByTestId('thread').getByRole('link').first().click();
    await fill();
    await page.context().clearCookies();
    await page.reload();
    await token.waitFor();
    expect(await page.content()).not.toContain('A secret');
    await signIn(OTHER);
    await until(async () => (await kept()).length === 0);
  });

  it('keeps an answer to the question of a graph', async () => {
    const graph = new StateGraph(MessagesAnnotation)
      .addNode('ask', () => ({ messages: [new AIMessage(`Because: ${String(interrupt('Why?'))}`)] }))
      .addEdge(START, 'ask')
      .addEdge('ask', END)
      .compile();
    const server = await serve({
      agents: (kit) => [new LangGraphAgent({ ...kit, name: 'chat', description: 'Asks.', graph })],
    });
    const chat = new ChatPage(await chromium.visit(toPageUrl(server)));
    await chat.ask('Paint!');
    await chat.stands('awaiting-input');
    const answer = chat.page.getByLabel('Your answer');
    await answer.fill('It is\ncalm');
    await chat.page.reload();
    await chat.stands('awaiting-input');
    expect(await answer.inputValue()).toBe('It is\ncalm');
    await chat.page.getByRole('button', { name: 'Answer', exact: true }).click();
    await chat.stands('completed');
    expect(await chat.answer.innerText()).toContain('Because: It is\ncalm');
  });
});
