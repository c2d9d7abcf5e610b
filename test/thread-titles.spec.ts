import { describe, expect, it } from '@jest/globals';
import { createChatAgent } from '../src/agents/langgraph/chat.agent.js';
import { ScriptedModel } from '../src/agents/langgraph/langgraph.testing.js';
import { chatServers } from './support/chat.server.js';

/** A model that answers, and names conversations when it is told to. It goes on and on after the title. */
function namingModel(chunks: readonly string[]): ScriptedModel {
  return new ScriptedModel(([first]) =>
    /Write a title/.test(first?.text ?? '') ? { chunks } : { chunks: ['It is ', '330 metres tall.'] },
  );
}

describe('titles by the model of an agent', () => {
  const serve = chatServers();

  const serveWith = async (model: ScriptedModel, titles?: 'model') => {
    const server = await serve({
      agents: (kit) => [createChatAgent({ ...kit, name: 'chat', description: 'Chats.', model })],
      ...(titles && { titles }),
    });
    const { runs } = server.storage;
    const changeThread = runs.changeThread.bind(runs);
    const named = Promise.withResolvers<void>();
    runs.changeThread = async (...change) => {
      const changed = await changeThread(...change);
      named.resolve();
      return changed;
    };
    return { server, named: named.promise };
  };
  const ask = async (
    { server }: Awaited<ReturnType<typeof serveWith>>,
    message: string,
    threadId?: string,
  ) => {
    const stream = await server.ask({ message, ...(threadId && { threadId }) });
    const { data } = await stream.frame('ready');
    await stream.closed();
    return String(data['threadId']);
  };

  it('are made after the first answer, outside of the run', async () => {
    const model = namingModel([
      '<think>A tower.</think>',
      '"Height of ',
      'the tower"\n',
      ...Array.from({ length: 500 }, () => 'and more '),
    ]);
    const started = await serveWith(model, 'model');
    const threadId = await ask(started, 'How tall is the Eiffel Tower?');
    await started.named;
    const { body } = await started.server.call('GET', `/threads/${threadId}`);
    expect(body['thread']).toMatchObject({ title: 'Height of the tower' });
    const [, asked] = model.requests[1] ?? [];
    expect(asked?.content).toBe(
      'Question:\nHow tall is the Eiffel Tower?\n\nAnswer:\nIt is 330 metres tall.',
    );
    // The run's own usage: one call of two chunks.
    expect(body['messages']).toMatchObject([
      {},
      { text: 'It is 330 metres tall.', view: { usage: { outputTokens: 2 } } },
    ]);

    await ask(started, 'And how old?', threadId);
    expect(model.requests).toHaveLength(3);
  });

  it('are off by default', async () => {
    const model = namingModel(['Named']);
    const started = await serveWith(model);
    const threadId = await ask(started, 'How tall is it?');
    const { body } = await started.server.call('GET', `/threads/${threadId}`);
    expect(body['thread']).toMatchObject({ title: 'How tall is it?' });
    expect(model.requests).toHaveLength(1);
  });
});
