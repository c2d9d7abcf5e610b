import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import { AIMessage, RemoveMessage } from '@langchain/core/messages';
import { tool } from '@langchain/core/tools';
import { Command, MessagesAnnotation, REMOVE_ALL_MESSAGES, START, StateGraph } from '@langchain/langgraph';
import { InMemoryCache } from '@langchain/langgraph-checkpoint';
import { createAgent, piiMiddleware } from 'langchain';
import { z } from 'zod';
import { findToolMessages, type ScriptedModel } from './langgraph.testing.js';
import {
  chain,
  closeStacks,
  graphAgent,
  scripted,
  stackWith,
  seenAndStored,
  type Stack,
} from './langgraph-stack.testing.js';

afterEach(async () => {
  stacks.splice(0);
  await closeStacks();
});

const stacks: Stack[] = [];

async function expectSame(graph: unknown, expected: readonly string[]) {
  const stack = await stackWith(graphAgent(graph));
  stacks.push(stack);
  const first = await stack.answerTo('One');
  expect(await seenAndStored(stack, first)).toEqual({ seen: expected, stored: expected });
  const second = await stack.answerTo('Two', first.threadId);
  expect(await seenAndStored(stack, second)).toEqual({ seen: expected, stored: expected });
  return second;
}

/** A message as core 0.3 makes it: of a class that this version knows nothing of. */
class OldMessage {
  readonly lc_namespace = ['langchain_core', 'messages'];
  readonly lc_kwargs = {};
  readonly additional_kwargs = {};
  readonly response_metadata = {};
  id: string | undefined = undefined;
  constructor(readonly content: string) {}
  _getType() {
    return 'ai';
  }
  getType() {
    return 'ai';
  }
  get text() {
    return this.content;
  }
}

describe('messages that a node returns', () => {
  it.each<[string, () => unknown]>([
    ['a plain object with a role', () => [{ role: 'ai', content: 'Hello.' }]],
    ['the role of OpenAI', () => [{ role: 'assistant', content: 'Hello.' }]],
    ['a plain object with a type', () => [{ type: 'ai', content: 'Hello.' }]],
    ['a tuple', () => [['ai', 'Hello.']]],
    ['a single message', () => new AIMessage('Hello.')],
    ['a single plain object', () => ({ role: 'assistant', content: 'Hello.' })],
    ['blocks', () => [{ role: 'ai', content: [{ type: 'text', text: 'Hello.' }] }]],
  ])('shows a message as the graph stores it when the node returns %s', async (_, messages) => {
    await expectSame(
      chain(() => ({ messages: messages() })),
      ['Hello.'],
    );
  });

  it('shows messages that are instances of an older version', async () => {
    const stack = await stackWith(graphAgent(chain(() => ({ messages: [new OldMessage('Hello.')] }))));
    expect((await stack.answerTo('One')).text).toBe('Hello.');
  });

  it('shows equal messages as often as nodes return them', async () => {
    await expectSame(
      chain(
        () => ({ messages: [new AIMessage('Wait.')] }),
        () => ({ messages: [{ role: 'ai', content: 'Wait.' }] }),
        () => ({ messages: [new AIMessage('Wait.'), new AIMessage({ id: randomUUID(), content: 'Wait.' })] }),
      ),
      ['Wait.', 'Wait.', 'Wait.', 'Wait.'],
    );
  });

  it("shows a message once when other nodes return it again or wrap the model's text", async () => {
    const model = scripted(() => ({ chunks: ['As the ', 'model says.'] }), 'roles may repeat');
    await expectSame(
      chain(
        async ({ messages }) => ({ messages: [new AIMessage((await model.invoke(messages)).text)] }),
        async ({ messages }) => ({
          messages: [{ role: 'ai', content: (await model.invoke(messages)).text }],
        }),
        ({ messages }) => ({ messages }),
        ({ messages }) => ({ messages: [new RemoveMessage({ id: REMOVE_ALL_MESSAGES }), ...messages] }),
      ),
      ['As the model says.', 'As the model says.'],
    );
  });

  it('shows a message from a node cache in a thread that does not have it yet', async () => {
    const node = () => ({ messages: [new AIMessage('From the cache.')] });
    const graph = new StateGraph(MessagesAnnotation)
      .addNode('cached', node, { cachePolicy: { keyFunc: () => 'same' } })
      .addEdge(START, 'cached')
      .compile({ cache: new InMemoryCache() });
    const stack = await stackWith(graphAgent(graph));
    for (const _ of [1, 2]) {
      expect(await seenAndStored(stack, await stack.answerTo('One'))).toEqual({
        seen: ['From the cache.'],
        stored: ['From the cache.'],
      });
    }
  });

  it('shows a message of a node that hands over to the parent graph', async () => {
    const inner = new StateGraph(MessagesAnnotation)
      .addNode(
        'ask',
        () =>
          new Command({
            graph: Command.PARENT,
            goto: 'other',
            update: { messages: [new AIMessage('Over to the other.')] },
          }),
      )
      .addEdge(START, 'ask')
      .compile();
    const graph = new StateGraph(MessagesAnnotation)
      .addNode('inner', inner, { ends: ['other'] })
      .addNode('other', () => ({ messages: [new AIMessage('Here I am.')] }))
      .addEdge(START, 'inner')
      .compile();
    await expectSame(graph, ['Over to the other.', 'Here I am.']);
  });

  it('shows the text of a subgraph agent as the subgraph and its parent store it', async () => {
    const model = scripted(() => ({ chunks: ['Asked and ', 'answered.'] }), 'roles may repeat');
    const graph = new StateGraph(MessagesAnnotation)
      .addNode('agent', createAgent({ model, tools: [] }).graph)
      .addNode('after', () => ({ messages: [{ role: 'ai', content: 'Bye.' }] }))
      .addEdge(START, 'agent')
      .addEdge('agent', 'after');
    await expectSame(graph, ['Asked and answered.', 'Bye.']);
  });
});

describe('a message that a later node replaces or removes', () => {
  const SECRET = 'Write to bob@example.com.';

  it('supersedes a message that middleware redacts, and removes the original from storage at the end', async () => {
    const model = scripted(() => ({ chunks: ['Write to ', 'bob@example.com.'] }));
    const middleware = [
      piiMiddleware('email', { strategy: 'redact', applyToInput: false, applyToOutput: true }),
    ];
    const { log } = await expectSame(createAgent({ model, tools: [], middleware }), [
      'Write to [REDACTED_EMAIL].',
    ]);
    expect(log.filter(({ event }) => event.type === 'step-reset')).toMatchObject([
      { event: { reason: 'replaced' } },
    ]);
    const [stack] = stacks.splice(0);
    await stack!.executor.drain(1_000);
    const kept = JSON.stringify(await stack!.storage.log.read(log[0]!.runId, 0, 1_000));
    expect(kept).toContain('[REDACTED_EMAIL]');
    expect(kept).not.toContain('bob@');
    expect(JSON.stringify(await stack!.readMessages(log[0]!.threadId))).not.toContain('bob@');
  });

  it('supersedes a message replaced under the same id and keeps the other text of its step', async () => {
    const stack = await stackWith(
      graphAgent(
        chain(
          () => ({ messages: [new AIMessage({ id: 'm', content: SECRET }), new AIMessage('Or do not.')] }),
          () => ({ messages: [new AIMessage({ id: 'm', content: 'Write to him.' })] }),
        ),
      ),
    );
    const { seen, stored } = await seenAndStored(stack, await stack.answerTo('One'));
    // The state has it in its old place, and people have it in the order in which it was said.
    expect(seen).toEqual(['Or do not.', 'Write to him.']);
    expect(stored).toEqual(['Write to him.', 'Or do not.']);
  });

  it('supersedes a message that is removed without replacement', async () => {
    await expectSame(
      chain(
        () => ({ messages: [new AIMessage(SECRET), new AIMessage('Bye.')] }),
        ({ messages }) => ({
          messages: messages.flatMap(({ id, text }) =>
            text === SECRET && id ? [new RemoveMessage({ id })] : [],
          ),
        }),
      ),
      ['Bye.'],
    );
  });
});

describe('an agent with holdMessages', () => {
  const redacted = (model: ScriptedModel) => {
    const middleware = [
      piiMiddleware('email', { strategy: 'redact', applyToInput: false, applyToOutput: true }),
    ];
    const look = tool(() => 'Found.', { name: 'look', description: 'Looks.', schema: z.object({}) });
    return createAgent({ model, tools: [look], middleware });
  };

  it('emits only text that has passed the middleware, and all of it', async () => {
    const model = scripted((messages) =>
      findToolMessages(messages).length > 0
        ? { chunks: ['Write to ', 'bob@example.com.'] }
        : { chunks: ['Looking for ann@example.com.'], calls: [{ id: 'c', name: 'look', args: '{}' }] },
    );
    const stack = await stackWith(graphAgent(redacted(model), { holdMessages: true }));
    const answered = await stack.answerTo('One');
    const { seen, stored } = await seenAndStored(stack, answered);
    expect(seen).toEqual(['Looking for [REDACTED_EMAIL].', 'Write to [REDACTED_EMAIL].']);
    expect(stored).toEqual(seen);
    expect(JSON.stringify(answered.log)).not.toContain('@');
    expect(answered.log.map(({ event }) => event.type)).not.toContain('step-reset');
  });
});

describe('an internal model call of a graph', () => {
  it('hides the text of a model tagged nostream and of structured output', async () => {
    const silent = scripted(() => ({ chunks: ['Hidden.'] })).withConfig({ tags: ['nostream'] });
    const router = scripted(() => ({ chunks: ['{"next":', '"b"}'] }));
    const speaker = scripted(() => ({ chunks: ['Shown.'] }));
    const structured = router.withConfig({
      ls_structured_output_format: {
        kwargs: { method: 'jsonSchema' },
        schema: z.object({ next: z.string() }),
      },
    });
    await expectSame(
      chain(
        async ({ messages }) => {
          await silent.invoke(messages);
          await structured.invoke(messages);
          return {};
        },
        async ({ messages }) => ({ messages: [await speaker.invoke(messages)] }),
      ),
      ['Shown.'],
    );
  });
});
