import { expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { findToolMessages, ScriptedModel } from '../../src/agents/langgraph/langgraph.testing.js';
import { AgentTool } from '../../src/index.js';
import { createChatAgent } from '../../src/agents/langgraph/index.js';
import { chatServers } from '../support/chat.server.js';
import { Deeds, obedientAgent } from '../security/tainted-servers.js';
import { describeInChromium } from './support/browser.js';
import { ChatPage, toPageUrl } from './support/chat.page.js';

const PAYMENT = z.object({ to: z.string(), amount: z.number() });

/** The effects of all calls, of all tests. */
const paid: string[] = [];

@Injectable()
class Payments {
  @AgentTool({
    name: 'pay',
    label: ({ to }) => `Paying ${to}…`,
    description: 'Pays.',
    input: PAYMENT,
    approval: true,
  })
  pay({ to, amount }: z.output<typeof PAYMENT>): string {
    paid.push(`${to} has ${amount}`);
    return paid.at(-1)!;
  }
}

/** Pays Ada and Eve, unless it is told to leave it. */
const model = () =>
  new ScriptedModel((messages) => {
    const answers = findToolMessages(messages);
    if (answers.length > 0) return { chunks: answers.map(({ text }) => `${text}; `) };
    if (messages.at(-1)?.text === 'Leave it') return { chunks: ['Fine.'] };
    const pay = (id: string, to: string) => ({ id, name: 'pay', args: `{"to":"${to}","amount":50}` });
    return { chunks: ['Two payments.'], calls: [pay('a', 'Ada'), pay('e', 'Eve')] };
  });

/** Pays one, whatever the name. */
const payingModel = (to: string) =>
  new ScriptedModel((messages) =>
    findToolMessages(messages).length > 0
      ? { chunks: ['Done.'] }
      : { calls: [{ id: 'p', name: 'pay', args: JSON.stringify({ to, amount: 50 }) }] },
  );

describeInChromium('page during an approval', (chromium) => {
  const serve = chatServers();

  async function asked(options?: Parameters<typeof chromium.visit>[1]) {
    const server = await serve({
      agents: (kit) => [createChatAgent({ ...kit, name: 'chat', description: 'Chats.', model: model() })],
      tools: [Payments],
    });
    const chat = new ChatPage(await chromium.visit(toPageUrl(server), options));
    await chat.ask('Pay them');
    await chat.stands('awaiting-input');
    const cards = chat.page.getByTestId('approval');
    const card = (who: string) => cards.filter({ hasText: `Paying ${who}` });
    const button = (who: string, name: string) => card(who).getByRole('button', { name, exact: true });
    return { server, chat, card, button };
  }

  it('explains why approval is needed when the conversation has read text of strangers', async () => {
    const server = await serve(obedientAgent(new Deeds()));
    const chat = new ChatPage(await chromium.visit(toPageUrl(server)));
    await chat.ask('read send');
    await chat.stands('awaiting-input');
    const card = chat.page.getByTestId('approval');
    await card.getByText('This conversation has read text of strangers (read_page), and').waitFor();
    await card.getByRole('button', { name: 'Approve', exact: true }).click();
    await card.getByText('Approved by').waitFor();
  });

  it('shows pending calls, takes an approval and a denial, and continues the run by itself', async () => {
    const { chat, card, button } = await asked();
    expect(await card('Ada').innerText()).toMatch(/Needs your approval · expires[\s\S]*"amount": 50/);
    await button('Ada', 'Approve').click();
    await card('Ada').getByText('Approved by').waitFor();
    await button('Eve', 'Deny…').click();
    await card('Eve').getByLabel('Why not').fill('She has enough.');
    await button('Eve', 'Deny').click();
    await chat.stands('completed');
    await chat.shows("Ada has 50; The call of 'pay' was not approved. She has enough.;");
    await card('Eve').getByText('Denied by').waitFor();
    expect(await chat.page.getByTestId('message').count()).toBe(3);

    await chat.page.reload();
    await chat.stands('completed');
    await card('Eve').getByText('Denied by').waitFor();
    await card('Ada').getByText('Approved by').waitFor();
    expect(await chat.page.getByTestId('message').count()).toBe(3);
  });

  it('approves a call with changed arguments, and explains when they do not fit', async () => {
    const { chat, card, button } = await asked({ mayFail: true });
    await button('Ada', 'Approve').click();
    await button('Eve', 'Change…').click();
    await button('Eve', 'Edit as JSON').click();
    const field = card('Eve').getByLabel('Arguments, as JSON');
    await field.fill('{"to":');
    await button('Eve', 'Approve with changes').click();
    await card('Eve').getByText("That isn't a valid JSON object.").waitFor();
    await field.fill('{"to":"Eve","amount":"all"}');
    await button('Eve', 'Approve with changes').click();
    await card('Eve')
      .getByText(/do not fit 'pay'/)
      .waitFor();
    await field.fill('{"to":"Eve","amount":7}');
    await button('Eve', 'Approve with changes').click();
    await chat.stands('completed');
    await card('Eve').getByText('Approved with changes by').waitFor();
    expect(await chat.answer.innerText()).toContain('Eve has 7');
    // The arguments that count are those of the person.
    expect(await card('Eve').innerText()).toMatch(/"amount": 7/);
    await chat.page.reload();
    await chat.stands('completed');
    expect(await card('Eve').innerText()).toMatch(/"amount": 7/);
  });

  it('shows decisions in another tab at once, and the reason for a denial everywhere', async () => {
    const { chat, card, button } = await asked();
    const tab = await chat.page.context().newPage();
    await tab.goto(chat.page.url());
    const other = new ChatPage(tab);
    await other.stands('awaiting-input');
    await button('Eve', 'Deny…').click();
    await card('Eve').getByLabel('Why not').fill('She has enough.');
    await button('Eve', 'Deny').click();
    for (const page of [chat.page, tab]) {
      const denied = page.getByTestId('approval').filter({ hasText: 'Paying Eve' });
      await denied.getByText('“She has enough.”').waitFor();
    }
  });

  it('counts what waits beside the message form, shows it, and approves all of it', async () => {
    const { chat } = await asked();
    const waiting = chat.page.getByTestId('open-requests');
    await waiting.getByText('2 decisions wait for you. A new message closes what is undecided.').waitFor();
    await waiting.getByRole('button', { name: 'Show' }).click();
    expect(await chat.page.evaluate(() => document.activeElement?.textContent)).toBe('Approve');
    await waiting.getByRole('button', { name: 'Approve all' }).click();
    await chat.stands('completed');
    await chat.shows('Ada has 50; Eve has 50;');
    await waiting.waitFor({ state: 'hidden' });
  });

  it('takes approvals from the keyboard after a reload', async () => {
    const { chat, button, card } = await asked();
    await chat.page.reload();
    await chat.stands('awaiting-input');
    for (const who of ['Ada', 'Eve']) {
      if (who === 'Ada') await button(who, 'Approve').focus();
      await chat.page.keyboard.press('Enter');
      await card(who).getByText('Approved by').waitFor();
    }
    // The focus went on to the next decision, and stays where the last was made.
    expect(await card('Eve').evaluate((shown) => shown.contains(document.activeElement))).toBe(true);
    await chat.stands('completed');
    await chat.shows('Ada has 50; Eve has 50;');
  });

  it('closes pending approvals in every window when the conversation goes on', async () => {
    const { server, chat, card, button } = await asked({ mayFail: true });
    const other = new ChatPage(await chromium.visit(`${toPageUrl(server)}?thread=${chat.threadId}`));
    await other.stands('awaiting-input');
    // The first window does not learn of it by itself before it is used.
    await chat.page.route(/\/threads[/?]/, () => undefined);
    await other.ask('Leave it');
    await other.shows('Fine.');
    const closedCard = other.page.getByTestId('approval').first();
    await closedCard.getByText('Closed by your next message').waitFor();
    expect(await closedCard.getByRole('button').count()).toBe(0);
    const colours = await closedCard.evaluate((shown) => {
      const panel = shown.ownerDocument.createElement('div');
      panel.className = 'state';
      shown.after(panel);
      return [shown, panel].map((each) => getComputedStyle(each).borderTopColor);
    });
    expect(colours[0]).toBe(colours[1]);

    await chat.page.unroute(/\/threads[/?]/);
    await button('Ada', 'Approve').click();
    await chat.shows('Fine.');
    await card('Ada').getByText('Closed by your next message').waitFor();
  });

  it('shows invisible characters as codes, also while editing, and sends them unchanged', async () => {
    // Would look like "Eve and exe.gpj" of an honest name.
    const name = 'Eve\u202egpj.exe\u200b\u{e0041}';
    const server = await serve({
      agents: (kit) => [
        createChatAgent({ ...kit, name: 'chat', description: 'Chats.', model: payingModel(name) }),
      ],
      tools: [Payments],
    });
    const chat = new ChatPage(await chromium.visit(toPageUrl(server)));
    await chat.ask('Pay them');
    await chat.stands('awaiting-input');
    const card = chat.page.getByTestId('approval');
    const text = await card.innerText();
    expect(text).toContain('Paying Eve⟨U+202E⟩gpj.exe⟨U+200B⟩⟨U+E0041⟩');
    expect(text).toContain(String.raw`"to": "Eve\u202egpj.exe\u200b\udb40\udc41"`);
    expect(text).toContain('invisible or change the direction');
    expect(text).not.toMatch(/[\p{Bidi_Control}\u200b\u{e0041}]/u);
    await card.getByRole('button', { name: 'Change…' }).click();
    const field = card.getByLabel('Arguments, as JSON');
    const written = await field.inputValue();
    expect(written).toContain(String.raw`\u202e`);
    await field.fill(written.replace('50', '7'));
    await card.getByRole('button', { name: 'Approve with changes' }).click();
    await chat.stands('completed');
    expect(paid.at(-1)).toBe(`${name} has 7`);
  });
});
