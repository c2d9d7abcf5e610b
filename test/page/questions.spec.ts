import { expect, it } from '@jest/globals';
import { ScriptedModel, findToolMessages } from '../../src/agents/langgraph/langgraph.testing.js';
import { createChatAgent } from '../../src/agents/langgraph/index.js';
import { askingServers } from '../support/asking-mcp.server.js';
import { chatServers } from '../support/chat.server.js';
import { describeInChromium } from './support/browser.js';
import { ChatPage, toPageUrl } from './support/chat.page.js';

const QUESTION = {
  message: 'That day is taken. Another one?',
  requestedSchema: {
    type: 'object' as const,
    properties: {
      day: { type: 'string' as const, title: 'Day', enum: ['Tuesday', 'Friday'] },
      guests: { type: 'integer' as const, title: 'Guests', minimum: 1, maximum: 8, default: 2 },
      name: { type: 'string' as const, title: 'Name', minLength: 2 },
      outside: { type: 'boolean' as const, title: 'Outside', description: 'On the terrace' },
    },
    required: ['day', 'guests'],
  },
};

describeInChromium('page with a question of an MCP server', (chromium) => {
  const serve = chatServers();
  const startMcp = askingServers();

  async function asked() {
    const mcp = await startMcp(async (ask) => {
      const { action, content } = await ask(QUESTION);
      return action === 'accept' ? JSON.stringify(content) : action;
    });
    const model = new ScriptedModel((messages) => {
      const [result] = findToolMessages(messages);
      if (result) return { chunks: [result.text] };
      return { calls: [{ id: 'c1', name: 'hall_book', args: '{"what":"table"}' }] };
    });
    const server = await serve({
      agents: (kit) => [createChatAgent({ ...kit, name: 'chat', description: 'Books.', model })],
      mcp: [{ name: 'hall', transport: { url: mcp.url } }],
    });
    const chat = new ChatPage(await chromium.visit(toPageUrl(server)));
    await chat.ask('Book!');
    await chat.stands('awaiting-input');
    return { chat, card: chat.page.getByTestId('question') };
  }

  it('shows a form made from its schema, and sends what was filled in', async () => {
    const { chat, card } = await asked();
    await card.getByText('hall_book asks: That day is taken. Another one?').waitFor();
    const send = card.getByRole('button', { name: 'Answer', exact: true });
    // The day is missing: the browser says so, and nothing is sent.
    await send.click();
    expect(await card.getAttribute('data-decision')).toBe('open');
    await card.getByLabel('Day').selectOption({ label: 'Friday' });
    await card.getByLabel('Guests').fill('3');
    await card.getByLabel('Outside').check();
    await send.click();
    await card.getByText('Answered by').waitFor();
    const said = '{"day":"Friday","guests":3,"outside":true}';
    await chat.page.getByText(said, { exact: true }).waitFor();
  });

  it('takes a refusal, which the server is told', async () => {
    const { chat, card } = await asked();
    await card.getByRole('button', { name: 'Decline', exact: true }).click();
    await card.getByText('Declined by').waitFor();
    await chat.page.getByText('decline', { exact: true }).waitFor();
  });
});
