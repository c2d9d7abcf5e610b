import { describe, expect, it } from '@jest/globals';
import { AIMessage, ToolMessage, type BaseMessage } from '@langchain/core/messages';
import { Annotation, END, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
import { Client, type Message } from '@langchain/langgraph-sdk';
import { LangGraphAgent } from '../../src/agents/langgraph/index.js';
import { MemoryStorage } from '../../src/storage/memory/memory.storage.js';
import { chatServers } from '../support/chat.server.js';
import { SHARED_KINDS, testStorages } from '../support/storages.js';

const start = chatServers();
const storages = testStorages();

const State = Annotation.Root({
  ...MessagesAnnotation.spec,
  mood: Annotation<string>,
  count: Annotation<number>,
});

/** Longer than what a person may send. */
const LONG = 'done'.padEnd(300_000, '.');
const toAnswer = (messages: readonly BaseMessage[]) =>
  messages.some(({ text }) => text === 'at length') ? LONG : 'done';

/** Thinks, looks something up, and answers with what it has found. */
const graph = new StateGraph(State)
  .addNode('think', ({ messages }) => {
    if (messages.at(-1)?.getType() === 'tool') return { messages: [new AIMessage(toAnswer(messages))] };
    const calls = [{ id: `call-${messages.length}`, name: 'look', args: {} }];
    return { messages: [new AIMessage({ content: 'think', tool_calls: calls })] };
  })
  .addNode('look', ({ messages }) => {
    const caller = messages.findLast((message) => AIMessage.isInstance(message));
    const id = caller?.tool_calls?.[0]?.id ?? 'none';
    return { messages: [new ToolMessage({ content: `saw ${caller?.text}`, tool_call_id: id })], count: 1 };
  })
  .addEdge(START, 'think')
  .addConditionalEdges('think', ({ messages }) => (messages.at(-1)?.text.startsWith('done') ? END : 'look'), [
    'look',
    END,
  ])
  .addEdge('look', 'think')
  .compile();

const human = (content: string, id?: string) => ({
  messages: [{ type: 'human', content, ...(id && { id }) }],
});
const said = ({ messages }: { readonly messages?: readonly Message[] }) =>
  (messages ?? []).map(({ type, content }) => `${type}: ${content as string}`);

describe.each(['memory', ...SHARED_KINDS] as const)("changes of a thread's state on %s", (kind) => {
  const serve = async (takesStateChanges = true, startsPerMinute = 1_000, exposeTools = false) => {
    const storage = kind === 'memory' ? new MemoryStorage() : await storages.make(kind);
    const server = await start({
      storage,
      agents: (kit) => [
        new LangGraphAgent({
          ...kit,
          name: 'looker',
          description: 'Looks.',
          graph: graph as never,
          exposeState: ['mood', 'count'],
          takesStateChanges,
          exposeTools,
          accepts: ['image/*'],
        }),
      ],
      protocols: {},
      throttling: { startsPerMinute },
    });
    return new Client<{ messages: Message[]; mood?: string; count?: number }>({
      apiUrl: `${server.origin}/protocols/langgraph`,
      apiKey: null,
      callerOptions: { maxRetries: 0 },
    });
  };
  const ask = async (client: Client, input: object | null, options: object = {}, threadId?: string) => {
    const { thread_id } = threadId ? { thread_id: threadId } : await client.threads.create();
    const values = await client.runs.wait(thread_id, 'looker', { input: input as never, ...options });
    return { thread_id, values: values as { messages: Message[]; mood?: string } };
  };

  it('changes keys and messages, shows both, and leaves the state before as it was', async () => {
    const client = await serve();
    const { thread_id } = await ask(client, human('hello', 'first'));
    const before = await client.threads.getState(thread_id);
    expect(said(before.values)).toEqual(['human: hello', 'ai: think', 'tool: ', 'ai: done']);
    const last = before.values.messages.at(-1)!;
    const { checkpoint } = (await client.threads.updateState(thread_id, {
      values: {
        mood: 'calm',
        messages: [
          { type: 'human', id: 'first', content: 'good day' },
          { type: 'ai', id: last.id, content: 'all done' },
          { type: 'ai', content: 'and more' },
        ],
      },
    })) as unknown as { checkpoint: { checkpoint_id: string } };
    const after = await client.threads.getState(thread_id);
    expect(said(after.values)).toEqual([
      'human: good day',
      'ai: think',
      'tool: ',
      'ai: all done',
      'ai: and more',
    ]);
    expect(after.values).toMatchObject({ mood: 'calm', count: 1 });
    expect(after.checkpoint.checkpoint_id).toBe(checkpoint.checkpoint_id);
    expect(after.metadata).toMatchObject({ source: 'update' });
    expect(await client.threads.getState(thread_id, before.checkpoint.checkpoint_id!)).toMatchObject({
      values: before.values,
    });
    const history = await client.threads.getHistory(thread_id);
    expect(history.map(({ metadata }) => metadata?.['source'])).toEqual(['update', 'loop', 'input']);

    // What the graph knows is what people see.
    const next = await ask(client, human('again'), {}, thread_id);
    expect(said(next.values).slice(0, 6)).toEqual([...said(after.values), 'human: again']);
    const fork = await ask(client, human('otherwise'), { checkpoint: before.checkpoint }, thread_id);
    expect(said(fork.values).slice(0, 5)).toEqual([...said(before.values), 'human: otherwise']);
  });

  it('stops where a node is next, and goes on without an input', async () => {
    const client = await serve();
    const { thread_id, values } = await ask(client, human('hello'), { interruptBefore: ['look'] });
    expect(said(values)).toEqual(['human: hello', 'ai: think']);
    expect((await client.threads.getState(thread_id)).next).toEqual(['look']);
    const asked = values.messages.at(-1)!;
    await client.threads.updateState(thread_id, { values: { messages: [{ ...asked, content: 'rethink' }] } });
    const changed = await client.threads.getState(thread_id);
    expect(said(changed.values)).toEqual(['human: hello', 'ai: rethink']);
    expect(changed).toMatchObject({ next: ['look'], tasks: [{ name: 'look' }] });
    expect((await client.threads.get(thread_id)).status).toBe('interrupted');
    const rest = await ask(client, null, {}, thread_id);
    expect(said(rest.values)).toEqual(['human: hello', 'ai: rethink', 'tool: ', 'ai: done']);
    expect((await client.threads.get(thread_id)).status).toBe('idle');
  });

  it('changes the state as a node, whose edges say what is next', async () => {
    const client = await serve();
    const { thread_id } = await ask(client, human('hello'), { interruptBefore: ['think'] });
    await client.threads.updateState(thread_id, {
      values: { messages: [{ type: 'ai', content: 'done' }] },
      asNode: 'think',
    });
    expect(await client.threads.getState(thread_id)).toMatchObject({ next: [] });
    expect(said((await client.threads.getState(thread_id)).values)).toEqual(['human: hello', 'ai: done']);
    await expect(client.threads.updateState(thread_id, { values: {}, asNode: 'nowhere' })).rejects.toThrow(
      "no node 'nowhere'",
    );
    await expect(client.threads.updateState(thread_id, { values: { other: 1 } })).rejects.toThrow(
      "no 'other'",
    );
  });

  it('removes a message, and answers a call in place of its tool', async () => {
    const client = await serve();
    const { thread_id, values } = await ask(client, human('hello', 'first'), { interruptBefore: ['look'] });
    const state = await client.threads.getState(thread_id);
    expect(state.values.messages).toHaveLength(2);
    await client.threads.updateState(thread_id, {
      values: { messages: [{ type: 'tool', tool_call_id: 'call-1', name: 'look', content: 'saw it' }] },
      asNode: 'look',
    });
    const { values: rest } = await ask(client, null, {}, thread_id);
    expect(said(rest)).toEqual(['human: hello', 'ai: think', 'tool: saw it', 'ai: done']);
    await client.threads.updateState(thread_id, {
      values: { messages: [{ type: 'remove', id: 'first', content: '' }] },
      asNode: 'think',
    });
    expect(said((await client.threads.getState(thread_id)).values)).toEqual([
      'ai: think',
      'tool: saw it',
      'ai: done',
    ]);
    expect(values.messages).toHaveLength(2);
  });

  it('takes update and goto of a command', async () => {
    const client = await serve();
    const { thread_id } = await ask(client, human('hello'));
    const changed = await ask(
      client,
      undefined as never,
      { command: { update: { mood: 'calm' } } },
      thread_id,
    );
    expect(changed.values.mood).toBe('calm');
    const gone = await ask(
      client,
      undefined as never,
      { command: { goto: 'look', update: { mood: 'wild' } } },
      thread_id,
    );
    expect(gone.values.mood).toBe('wild');
    expect(said(gone.values)).toEqual([
      'human: hello',
      'ai: think',
      'tool: ',
      'ai: done',
      'tool: ',
      'ai: done',
    ]);
    await expect(client.runs.create(thread_id, 'looker', { command: { goto: 'nowhere' } })).rejects.toThrow(
      "no node 'nowhere'",
    );
    await expect(
      client.runs.create(thread_id, 'looker', { command: { goto: 'look', resume: 1 } }),
    ).rejects.toThrow('in a run of its own');
  });

  it('shows what a node answers in place of a tool, if the agent shows its tools', async () => {
    const client = await serve(true, 1_000, true);
    const { values } = await ask(client, human('hello'));
    expect(said(values)).toEqual(['human: hello', 'ai: think', 'tool: saw think', 'ai: done']);
  });

  it('fills a new thread with states', async () => {
    const client = await serve();
    const { thread_id, values } = await client.threads.create({
      graphId: 'looker',
      supersteps: [
        { updates: [{ asNode: '__input__', values: human('hello') }] },
        { updates: [{ asNode: '__start__', values: human('hello') }] },
        {
          updates: [
            { asNode: 'think', values: { mood: 'calm', messages: [{ type: 'ai', content: 'done' }] } },
          ],
        },
      ],
    });
    expect(said(values)).toEqual(expect.arrayContaining(['ai: done']));
    expect(values).toMatchObject({ mood: 'calm' });
    expect(await client.threads.getHistory(thread_id)).toHaveLength(3);
  });

  it('charges new threads and changes to the budget of starts', async () => {
    const client = await serve(true, 4);
    const { thread_id } = await ask(client, human('hello'));
    await client.threads.create({ threadId: thread_id, ifExists: 'do_nothing' });
    await client.threads.updateState(thread_id, { values: { mood: 'calm' } });
    await client.threads.create();
    await expect(client.threads.updateState(thread_id, { values: {} })).rejects.toThrow('429');
    await expect(client.threads.create()).rejects.toThrow('429');
  });

  it('changes the message that was named, although others say the same', async () => {
    const client = await serve();
    const { thread_id } = await ask(client, human('hello'));
    const { values } = await ask(client, human('again'), {}, thread_id);
    const answers = values.messages.filter(({ content }) => content === 'done');
    expect(answers).toHaveLength(2);
    const changed = { ...answers[0]!, content: 'done first' };
    await client.threads.updateState(thread_id, { values: { messages: [changed] } });
    const { values: after } = await client.threads.getState(thread_id);
    const words = after.messages.flatMap(({ type, content }) => (type === 'ai' ? [content] : []));
    expect(words).toEqual(['think', 'done first', 'think', 'done']);
    const next = await ask(client, human('more'), {}, thread_id);
    expect(said(next.values).slice(0, 4)).toEqual(said(after).slice(0, 4));
  });

  it('changes a message that is longer than what a person may send', async () => {
    const client = await serve();
    const { thread_id, values } = await ask(client, human('at length'));
    const long = values.messages.at(-1)!;
    expect(long.content).toBe(LONG);
    const put = (message: object) =>
      client.threads.updateState(thread_id, { values: { messages: [{ ...long, ...message }] } });
    await put({ content: 'done' });
    expect(said((await client.threads.getState(thread_id)).values).at(-1)).toBe('ai: done');
    await expect(put({ content: LONG })).rejects.toThrow('413');
  });

  it('changes a message to words with characters that no text of a run may have', async () => {
    const client = await serve();
    const { thread_id } = await ask(client, human('hello', 'first'));
    await client.threads.updateState(thread_id, { values: human('a\0b\ud800', 'first') });
    expect(said((await client.threads.getState(thread_id)).values)[0]).toContain('human: a');
  });

  it('charges each state of a new thread', async () => {
    const client = await serve(true, 3);
    const state = { updates: [{ asNode: 'think', values: { mood: 'calm' } }] };
    const supersteps = [state, state, state];
    await expect(client.threads.create({ graphId: 'looker', supersteps })).rejects.toThrow('429');
  });

  it('checks the files of a change as those of an input', async () => {
    const client = await serve();
    const { thread_id, values } = await ask(client, human('hello'));
    const png = Buffer.from('\x89PNG\r\n\x1a\n and so on', 'latin1').toString('base64');
    const change = (block: object) => ({ messages: [{ type: 'human', content: [block] }] }) as never;
    const refused: [object, string][] = [
      [{ type: 'image', mimeType: 'image/png', url: 'https://example.com/a.png' }, 'Files by URL'],
      [{ type: 'image', mimeType: 'image/png', fileId: 'file-1' }, 'by the id of a provider'],
      [
        { type: 'file', mimeType: 'application/pdf', data: btoa('%PDF-1.7 a') },
        'cannot read a file of the type',
      ],
    ];
    for (const [block, words] of refused) {
      await expect(client.threads.updateState(thread_id, { values: change(block) })).rejects.toThrow(words);
      await expect(
        client.runs.create(thread_id, 'looker', { command: { update: change(block) } }),
      ).rejects.toThrow(words);
      const goto = { node: 'look', input: change(block) };
      await expect(client.runs.create(thread_id, 'looker', { command: { goto } })).rejects.toThrow(words);
    }
    expect((await client.threads.getState(thread_id)).values.messages).toHaveLength(values.messages.length);
    await client.threads.updateState(thread_id, {
      values: change({ type: 'image', mimeType: 'image/png', data: png }),
    });
  });

  it('refuses a change while a run is active, and of an agent that takes none', async () => {
    const client = await serve(false);
    const { thread_id } = await ask(client, human('hello'));
    await expect(client.threads.updateState(thread_id, { values: { mood: 'calm' } })).rejects.toThrow(
      'takes no changes of its state',
    );
    await expect(client.runs.create(thread_id, 'looker', { input: null })).rejects.toThrow('Send a message');
    await expect(client.runs.create(thread_id, 'looker', { command: { goto: 'look' } })).rejects.toThrow(
      'takes no changes of its state',
    );
    const { thread_id: empty } = await client.threads.create();
    await expect(client.threads.updateState(empty, { values: {} })).rejects.toThrow('no agent yet');
  });
});
