import { describe, expect, it } from '@jest/globals';
import { AIMessage } from '@langchain/core/messages';
import { Annotation, END, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
import { Client, type Message, type ThreadState } from '@langchain/langgraph-sdk';
import { LangGraphAgent } from '../../src/agents/langgraph/index.js';
import { MemoryStorage } from '../../src/storage/memory/memory.storage.js';
import type { AuthOptions } from '../../src/auth/auth.options.js';
import { chatServers } from '../support/chat.server.js';
import { SHARED_KINDS, testStorages } from '../support/storages.js';

const start = chatServers();
const storages = testStorages();

const byToken: AuthOptions = {
  kind: 'host',
  getPrincipal: ({ headers }) => {
    const userId = headers.authorization?.replace('Bearer ', '') ?? 'ann';
    return { userId, tenant: 'here', roles: [] };
  },
};

const State = Annotation.Root({
  ...MessagesAnnotation.spec,
  count: Annotation<number>({ reducer: (_, next) => next, default: () => 0 }),
});

/** Drafts, and reviews as often as its question has words. */
const graph = new StateGraph(State)
  .addNode('draft', ({ count }) => ({ messages: [new AIMessage(`draft ${count + 1}`)], count: count + 1 }))
  .addNode('review', ({ count }) => ({ messages: [new AIMessage(`review ${count}`)] }))
  .addEdge(START, 'draft')
  .addEdge('draft', 'review')
  .addConditionalEdges('review', ({ count }) => (count % 2 === 0 ? END : 'draft'), ['draft', END])
  .compile();

/** Counts what a graph in it has heard, and says so. */
const inner = new StateGraph(MessagesAnnotation)
  .addNode('hear', ({ messages }) => ({ messages: [new AIMessage(`heard ${messages.length}`)] }))
  .addNode('say', ({ messages }) => ({ messages: [new AIMessage(`said ${messages.length}`)] }))
  .addEdge(START, 'hear')
  .addEdge('hear', 'say')
  .addEdge('say', END)
  .compile();
const outer = new StateGraph(MessagesAnnotation)
  .addNode('before', () => ({ messages: [new AIMessage('before')] }))
  .addNode('inner', inner)
  .addNode('after', () => ({ messages: [new AIMessage('after')] }))
  .addEdge(START, 'before')
  .addEdge('before', 'inner')
  .addEdge('inner', 'after')
  .addEdge('after', END)
  .compile();

type Values = { messages: Message[]; count?: number };
const human = (content: string) => ({ messages: [{ type: 'human', content }] });
const said = ({ messages }: Values) => messages.map(({ content }) => content as string);
const toLines = (history: readonly ThreadState<Values>[]) =>
  history.map(({ values, next, metadata }) => [metadata?.['step'], next, said(values).at(-1), values.count]);

describe.each(['memory', ...SHARED_KINDS] as const)('the states after each superstep on %s', (kind) => {
  const serve = async (
    options: { keepsStates?: boolean; takesStateChanges?: boolean; holdMessages?: boolean } = {},
  ) => {
    const storage = kind === 'memory' ? new MemoryStorage() : await storages.make(kind);
    const server = await start({
      storage,
      agents: (kit) => [
        new LangGraphAgent({
          ...kit,
          name: 'writer',
          description: 'Writes.',
          graph: graph as never,
          exposeState: ['count'],
          keepsStates: true,
          ...options,
        }),
        new LangGraphAgent({
          ...kit,
          name: 'outer',
          description: 'Has a graph in it.',
          graph: outer as never,
          keepsStates: true,
          takesStateChanges: true,
        }),
      ],
      auth: byToken,
      protocols: {},
      throttling: { startsPerMinute: 1_000 },
    });
    const connect = (user: string) =>
      new Client<Values>({
        apiUrl: `${server.origin}/protocols/langgraph`,
        apiKey: null,
        defaultHeaders: { authorization: `Bearer ${user}` },
        callerOptions: { maxRetries: 0 },
      });
    return Object.assign(connect('ann'), { connect });
  };
  const ask = async (client: Client, threadId: string, input: object | null, options: object = {}) =>
    (await client.runs.wait(threadId, 'writer', { input: input as never, ...options })) as unknown as Values;

  it('returns each of them, with what was next, and the one before it', async () => {
    const client = await serve();
    const { thread_id } = await client.threads.create();
    await ask(client, thread_id, human('Go.'), { metadata: { turn: 1 } });
    const history = await client.threads.getHistory(thread_id);
    expect(toLines(history)).toEqual([
      [4, [], 'review 2', 2],
      [3, ['review'], 'draft 2', 2],
      [2, ['draft'], 'review 1', 1],
      [1, ['review'], 'draft 1', 1],
      [0, ['draft'], 'Go.', undefined],
      [-1, ['__start__'], undefined, undefined],
    ]);
    expect(history.map(({ parent_checkpoint: parent }) => parent?.checkpoint_id)).toEqual([
      ...history.slice(1).map(({ checkpoint }) => checkpoint.checkpoint_id),
      undefined,
    ]);
    expect(history[1]?.tasks).toMatchObject([
      { name: 'review', path: ['__pregel_pull', 'review'], error: null, interrupts: [] },
    ]);
    for (const each of history)
      expect(await client.threads.getState(thread_id, each.checkpoint.checkpoint_id!)).toEqual(each);
    expect(await client.threads.getState(thread_id)).toEqual(history[0]);

    await ask(client, thread_id, human('Again.'), { metadata: { turn: 2 } });
    const second = await client.threads.getHistory(thread_id, { metadata: { turn: 2 } });
    expect(second.map(({ next }) => next)).toEqual([
      [],
      ['review'],
      ['draft'],
      ['review'],
      ['draft'],
      ['__start__'],
    ]);
    expect(second.at(-1)?.parent_checkpoint).toEqual(history[0]?.checkpoint);
    expect(said(second.at(-1)!.values)).toEqual(said(history[0]!.values));
    const page = await client.threads.getHistory(thread_id, {
      before: second[4]!.checkpoint as never,
      limit: 2,
    });
    expect(page).toEqual([second[5], history[0]]);
  });

  it('continues from any of them, with a new message or where it was, and leaves later ones alone', async () => {
    const client = await serve({ takesStateChanges: true });
    const { thread_id } = await client.threads.create();
    await ask(client, thread_id, human('Go.'));
    const [, , afterReview] = await client.threads.getHistory(thread_id);
    const { checkpoint } = afterReview!;
    const other = await ask(client, thread_id, human('Otherwise.'), { checkpoint });
    expect(said(other)).toEqual(['Go.', 'draft 1', 'review 1', 'Otherwise.', 'draft 2', 'review 2']);
    expect(await client.threads.getState(thread_id, checkpoint.checkpoint_id!)).toEqual(afterReview);
    const same = await ask(client, thread_id, null, { checkpoint });
    expect(said(same)).toEqual(['Go.', 'draft 1', 'review 1', 'draft 2', 'review 2']);
    expect(said((await client.threads.getState(thread_id)).values)).toEqual(said(same));
    const next = await ask(client, thread_id, human('And on.'));
    expect(said(next).slice(0, 6)).toEqual([...said(same), 'And on.']);
  });

  it('changes any of them, as a branch', async () => {
    const client = await serve({ takesStateChanges: true });
    const { thread_id } = await client.threads.create();
    await ask(client, thread_id, human('Go.'));
    const history = await client.threads.getHistory(thread_id);
    const [last, , middle] = history;
    await client.threads.updateState(thread_id, {
      values: { count: 7, messages: [{ type: 'ai', content: 'noted' }] },
      checkpoint: middle!.checkpoint,
    });
    const changed = await client.threads.getState(thread_id);
    expect(changed.values.count).toBe(7);
    expect(said(changed.values)).toEqual(['Go.', 'draft 1', 'review 1', 'noted']);
    expect([changed.next, changed.metadata?.['source'], changed.parent_checkpoint]).toEqual([
      ['draft'],
      'update',
      middle!.checkpoint,
    ]);
    expect(await client.threads.getState(thread_id, last!.checkpoint.checkpoint_id!)).toEqual(last);
    const goneOn = await ask(client, thread_id, null);
    expect(said(goneOn).slice(-2)).toEqual(['draft 8', 'review 8']);
  });

  it('keeps two for a run by default, and refuses the modes that tell of each', async () => {
    const client = await serve({ keepsStates: false });
    const { thread_id } = await client.threads.create();
    await ask(client, thread_id, human('Go.'));
    expect(await client.threads.getHistory(thread_id)).toHaveLength(2);
    for (const streamMode of ['checkpoints', 'tasks', 'debug'] as const) {
      const stream = client.runs.stream(thread_id, 'writer', { input: human('Again.'), streamMode });
      await expect(stream.next()).rejects.toThrow("The agent 'writer' does not keep the states");
    }
    expect(await client.threads.getHistory(thread_id)).toHaveLength(2);
  });

  it('tells of each in the modes checkpoints and tasks', async () => {
    const client = await serve();
    const { thread_id } = await client.threads.create();
    await ask(client, thread_id, human('Go.'));
    const chunks: { event: string; data: unknown }[] = [];
    const modes = ['checkpoints', 'tasks'] as const;
    const input = human('Again.');
    for await (const chunk of client.runs.stream(thread_id, 'writer', { input, streamMode: [...modes] }))
      chunks.push(chunk);
    const told = chunks.filter(({ event }) => event === 'checkpoints').map(({ data }) => data as ThreadState);
    const history = await client.threads.getHistory(thread_id, { limit: 20 });
    expect(history).toHaveLength(12);
    const shown = history.slice(0, 6).toReversed();
    const pick = ({ checkpoint, next }: ThreadState<unknown>) => [checkpoint, next];
    expect(told.map(pick)).toEqual(shown.map(pick));
    const parents = (states: readonly ThreadState<unknown>[]) =>
      states.slice(1).map((each) => each.parent_checkpoint);
    expect(parents(told)).toEqual(parents(shown));
    expect(shown[0]?.parent_checkpoint).toEqual(history[6]?.checkpoint);
    expect(told[0]?.parent_checkpoint).toEqual(history[6]?.checkpoint);
    expect(told.at(-1)?.values).toEqual(history[0]?.values);
    const tasks = chunks.filter(({ event }) => event === 'tasks').map(({ data }) => data as object);
    expect(tasks).toHaveLength(8);
    expect(tasks[0]).toMatchObject({ name: 'draft', triggers: ['branch:to:draft'], interrupts: [] });
    expect(tasks[1]).toMatchObject({
      name: 'draft',
      result: { count: 3, messages: [{ content: 'draft 3' }] },
    });
  });

  it('has the whole answer in its last state, also what is held back until the end', async () => {
    const client = await serve({ holdMessages: true });
    const { thread_id } = await client.threads.create();
    const words = said(await ask(client, thread_id, human('Go.')));
    expect(words).toEqual(['Go.', 'draft 1', 'review 1', 'draft 2', 'review 2']);
    const [last] = await client.threads.getHistory(thread_id);
    expect(said(last!.values)).toEqual(words);
    expect(said((await client.threads.getState(thread_id)).values)).toEqual(words);
    const { checkpoint } = last!;
    const other = await ask(client, thread_id, human('On.'), { checkpoint });
    expect(said(other).slice(0, 6)).toEqual([...words, 'On.']);
    const [newest] = await client.threads.getHistory(thread_id);
    expect(said(newest!.values).slice(0, 6)).toEqual([...words, 'On.']);
  });

  it('begins a graph inside it from the state of the fork, and not from what that graph came to before', async () => {
    const client = await serve();
    const { thread_id } = await client.threads.create();
    const run = async (input: object | null, options: object = {}) =>
      (await client.runs.wait(thread_id, 'outer', {
        input: input as never,
        ...options,
      })) as unknown as Values;
    const words = ['Go.', 'before', 'heard 2', 'said 3', 'after'];
    expect(said(await run(human('Go.')))).toEqual(words);
    const history = await client.threads.getHistory(thread_id);
    for (const name of ['inner', 'before']) {
      const state = history.find(({ next }) => next[0] === name);
      expect(said(await run(null, { checkpoint: state?.checkpoint }))).toEqual(words);
    }
  });

  it('puts another question in the place of one whose first state is named, and not after it', async () => {
    const client = await serve({ takesStateChanges: true });
    const { thread_id } = await client.threads.create();
    const readAll = async () => said((await client.threads.getState(thread_id)).values);
    await ask(client, thread_id, human('Go.'));
    const first = (await client.threads.getHistory(thread_id)).at(-1)!.checkpoint;
    const edited = ['Come.', 'draft 1', 'review 1', 'draft 2', 'review 2'];
    expect(said(await ask(client, thread_id, human('Come.'), { checkpoint: first }))).toEqual(edited);
    expect(await readAll()).toEqual(edited);
    const [last] = await client.threads.getHistory(thread_id);
    expect(said(last!.values)).toEqual(edited);

    const again = ['Go.', ...edited.slice(1)];
    expect(said(await ask(client, thread_id, null, { checkpoint: first }))).toEqual(again);
    await client.threads.updateState(thread_id, {
      values: { messages: [{ type: 'human', content: 'Noted.' }] },
      checkpoint: first,
      asNode: 'draft',
    });
    expect(await readAll()).toEqual(['Noted.']);
  });

  it('does so where the run of that question went on from the middle of another', async () => {
    const client = await serve();
    const { thread_id } = await client.threads.create();
    await ask(client, thread_id, human('Go.'));
    const [, , middle] = await client.threads.getHistory(thread_id);
    await ask(client, thread_id, human('Fork.'), { checkpoint: middle!.checkpoint });
    const history = await client.threads.getHistory(thread_id, { metadata: { step: 3, source: 'input' } });
    const [before] = history;
    expect(said(before!.values)).toEqual(said(middle!.values));
    const edited = await ask(client, thread_id, human('Edited.'), { checkpoint: before!.checkpoint });
    expect(said(edited)).toEqual([...said(middle!.values), 'Edited.', 'draft 2', 'review 2']);
    expect(said((await client.threads.getState(thread_id)).values)).toEqual(said(edited));
  });

  it('finds no state that a run has not kept, nor one of another user or thread', async () => {
    const client = await serve({ takesStateChanges: true });
    const { thread_id } = await client.threads.create();
    await ask(client, thread_id, human('Go.'));
    const history = await client.threads.getHistory(thread_id);
    const [{ run_id } = { run_id: '' }] = await client.runs.list(thread_id);
    const refusals = (user: Client, thread: string, checkpoint_id: string) =>
      Promise.all(
        [
          user.threads.getState(thread, checkpoint_id),
          user.runs.wait(thread, 'writer', { input: human('On.'), checkpointId: checkpoint_id }),
          user.runs.wait(thread, 'writer', { input: null, checkpointId: checkpoint_id }),
          user.threads.updateState(thread, { values: { count: 7 }, checkpoint: { checkpoint_id } as never }),
        ].map((asked) =>
          asked.then(
            () => 'found',
            (error: { status?: number; message: string }) => [
              error.status,
              // What the caller has sent is repeated.
              error.message.replaceAll(checkpoint_id, 'ID').replaceAll(checkpoint_id.split('@')[0]!, 'RUN'),
            ],
          ),
        ),
      );
    for (const id of [`${run_id}@none`, 'none@none'])
      for (const refusal of await refusals(client, thread_id, id)) expect(refusal[0]).toBe(404);

    const eve = client.connect('eve');
    await eve.threads.create({ threadId: thread_id });
    await ask(eve, thread_id, human('Mine.'));
    const elsewhere = (await client.threads.create()).thread_id;
    await ask(client, elsewhere, human('Elsewhere.'));
    for (const [user, thread] of [
      [eve, thread_id],
      [client, elsewhere],
    ] as const) {
      const unknown = await refusals(user, thread, 'none@none');
      for (const { checkpoint } of [history[0]!, history[2]!, history.at(-1)!]) {
        const refused = await refusals(user, thread, checkpoint.checkpoint_id!);
        for (const [index, refusal] of refused.entries()) {
          expect(refusal[0]).toBe(404);
          if (user === eve) expect(refusal).toEqual(unknown[index]);
        }
      }
      expect(await user.runs.list(thread)).toHaveLength(1);
    }
  });
});
