import { expect, it } from '@jest/globals';
import { AIMessage } from '@langchain/core/messages';
import { END, interrupt, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
import { ScriptedModel, findToolMessages } from '../../src/agents/langgraph/langgraph.testing.js';
import { createChatAgent, LangGraphAgent } from '../../src/agents/langgraph/index.js';
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
    await chat.answer.getByText(said, { exact: true }).waitFor();
  });

  it('takes a refusal, which the server is told', async () => {
    const { chat, card } = await asked();
    await card.getByRole('button', { name: 'Decline', exact: true }).click();
    await card.getByText('Declined by').waitFor();
    await chat.answer.getByText('decline', { exact: true }).waitFor();
  });
});

describeInChromium('page with a question of a graph', (chromium) => {
  const serve = chatServers();

  /** Asks for a color with choices, and then for a reason. */
  const asking = () =>
    new StateGraph(MessagesAnnotation)
      .addNode('ask', () => {
        const color = String(interrupt({ question: 'Which color?', options: ['Red', 'Blue'] }));
        const why = String(interrupt('Why?'));
        return { messages: [new AIMessage(`${color}, because: ${why}`)] };
      })
      .addEdge(START, 'ask')
      .addEdge('ask', END)
      .compile();

  async function asked() {
    const server = await serve({
      agents: (kit) => [new LangGraphAgent({ ...kit, name: 'chat', description: 'Asks.', graph: asking() })],
    });
    const chat = new ChatPage(await chromium.visit(toPageUrl(server)));
    await chat.ask('Paint!');
    await chat.stands('awaiting-input');
    return { chat, card: chat.page.getByTestId('question') };
  }

  it('takes a choice by one click, and then an answer in free text', async () => {
    const { chat, card } = await asked();
    await card.getByText('Which color?', { exact: true }).waitFor();
    // What the question and its buttons show is not shown twice.
    expect(await card.getByText('Asks with').count()).toBe(0);
    // A graph has no word for a refusal.
    expect(await card.getByRole('button', { name: 'Decline' }).count()).toBe(0);
    await card.getByRole('button', { name: 'Blue', exact: true }).click();

    const second = card.filter({ hasText: 'Why?' });
    await second.getByLabel('Your answer').fill('It is "calm".');
    await second.getByRole('button', { name: 'Answer', exact: true }).click();
    await chat.answer.getByText('Blue, because: It is "calm".', { exact: true }).waitFor();
  });

  it('takes a written answer instead of one of the choices', async () => {
    const { chat, card } = await asked();
    await card.getByLabel('Your answer').fill('Green');
    await card.getByRole('button', { name: 'Answer', exact: true }).click();
    const second = card.filter({ hasText: 'Why?' });
    await second.getByLabel('Your answer').fill('42');
    await second.getByRole('button', { name: 'Answer', exact: true }).click();
    await chat.answer.getByText('Green, because: 42', { exact: true }).waitFor();
  });
});
