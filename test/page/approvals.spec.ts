import { expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { answersOf, ScriptedModel } from '../../src/agents/langgraph/langgraph.testing.js';
import { AgentTool, createChatAgent } from '../../src/index.js';
import { chatServers } from '../support/chat.server.js';
import { describeInChromium } from './support/browser.js';
import { ChatPage, pageOf } from './support/chat.page.js';

const PAYMENT = z.object({ to: z.string(), amount: z.number() });

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
    return `${to} has ${amount}`;
  }
}

/** Pays Ada and Eve, unless it is told to leave it. */
const model = () =>
  new ScriptedModel((messages) => {
    const answers = answersOf(messages);
    if (answers.length > 0) return { words: answers.map(({ text }) => `${text}; `) };
    if (messages.at(-1)?.text === 'Leave it') return { words: ['Fine.'] };
    const pay = (id: string, to: string) => ({ id, name: 'pay', args: `{"to":"${to}","amount":50}` });
    return { words: ['Two payments.'], calls: [pay('a', 'Ada'), pay('e', 'Eve')] };
  });

describeInChromium('the page while an agent waits for a decision', (chromium) => {
  const serve = chatServers();

  async function asked(options?: Parameters<typeof chromium.visit>[1]) {
    const server = await serve({
      agents: (kit) => [createChatAgent({ ...kit, name: 'chat', description: 'Chats.', model: model() })],
      tools: [Payments],
    });
    const chat = new ChatPage(await chromium.visit(pageOf(server), options));
    await chat.ask('Pay them');
    await chat.stands('awaiting-approval');
    const cards = chat.page.getByTestId('approval');
    const card = (who: string) => cards.filter({ hasText: `Paying ${who}` });
    const button = (who: string, name: string) => card(who).getByRole('button', { name, exact: true });
    return { server, chat, card, button };
  }

  it('shows what waits, takes a yes and a no, and goes on by itself', async () => {
    const { chat, card, button } = await asked();
    expect(await card('Ada').innerText()).toMatch(/Waits for your decision until[\s\S]*"amount": 50/);
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

  it('takes other arguments, and says when they do not fit', async () => {
    const { chat, card, button } = await asked({ mayFail: true });
    await button('Ada', 'Approve').click();
    await button('Eve', 'Change…').click();
    const field = card('Eve').getByLabel('Arguments, as JSON');
    await field.fill('{"to":');
    await button('Eve', 'Approve with changes').click();
    await card('Eve').getByText('That is no JSON object.').waitFor();
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
  });

  it('can be answered after a reload, by the keyboard', async () => {
    const { chat, button, card } = await asked();
    await chat.page.reload();
    await chat.stands('awaiting-approval');
    for (const who of ['Ada', 'Eve']) {
      await button(who, 'Approve').focus();
      await chat.page.keyboard.press('Enter');
      await card(who).getByText('Approved by').waitFor();
    }
    await chat.stands('completed');
    await chat.shows('Ada has 50; Eve has 50;');
  });

  it('closes what waits when the conversation goes on, here or in another window', async () => {
    const { server, chat, card, button } = await asked({ mayFail: true });
    const other = new ChatPage(await chromium.visit(`${pageOf(server)}?thread=${chat.threadId}`));
    await other.stands('awaiting-approval');
    await other.ask('Leave it');
    await other.shows('Fine.');
    const closedCard = other.page.getByTestId('approval').first();
    await closedCard.getByText('Nobody decided').waitFor();
    expect(await closedCard.getByRole('button').count()).toBe(0);

    await button('Ada', 'Approve').click();
    await chat.shows('Fine.');
    await card('Ada').getByText('Nobody decided').waitFor();
  });
});
