import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { AIMessage, ToolMessage, type BaseMessage } from '@langchain/core/messages';
import { tool, type StructuredTool } from '@langchain/core/tools';
import { END, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
import { ToolNode } from '@langchain/langgraph/prebuilt';
import { createAgent, toolRetryMiddleware } from 'langchain';
import { z } from 'zod';
import { createModel } from './model.factory.js';
import { closeStacks, getEnd, graphAgent, stackWith, toolEnds } from './langgraph-stack.testing.js';
import {
  callDelta,
  calls,
  delta,
  says,
  closeProviders,
  inTurn,
  startProvider,
  type ScriptedReply,
} from './scripted-provider.testing.js';

// LangChain writes there what a callback throws.
beforeEach(() => void jest.spyOn(console, 'error').mockImplementation(() => undefined));
afterEach(async () => {
  jest.restoreAllMocks();
  await closeStacks();
  await closeProviders();
});

type Model = Awaited<ReturnType<typeof createModel>>;
type MakeGraph = (model: Model, note: StructuredTool) => unknown;

const isCalling = ({ messages }: { readonly messages: readonly BaseMessage[] }) =>
  (messages.at(-1) as AIMessage).tool_calls?.length ? 'tools' : END;

/** A graph of a model and a node for its tools. */
function loop(model: Model, note: StructuredTool, tools: ToolNode | ((state: never) => unknown)) {
  const withTools = model.bindTools!([note]);
  return new StateGraph(MessagesAnnotation)
    .addNode('model', async ({ messages }) => ({ messages: [await withTools.invoke(messages)] }))
    .addNode('tools', tools as ToolNode)
    .addEdge(START, 'model')
    .addConditionalEdges('model', isCalling)
    .addEdge('tools', 'model')
    .compile();
}

const GRAPHS: [string, MakeGraph][] = [
  ['a ToolNode', (model, note) => loop(model, note, new ToolNode([note]))],
  ["LangChain's agent", (model, note) => createAgent({ model, tools: [note] }).graph],
  [
    'a node that invokes tools by itself',
    (model, note) =>
      loop(model, note, async ({ messages }: typeof MessagesAnnotation.State) => {
        const { tool_calls: made = [] } = messages.at(-1) as AIMessage;
        const results = made.map(async ({ id = '', args }) => {
          const content = await note.invoke(args).catch((error: Error) => error.message);
          return new ToolMessage({ tool_call_id: id, content: content as string });
        });
        return { messages: await Promise.all(results) };
      }),
  ],
];

/** A team's own graph with a tool of its own, and a provider that answers these, one after the other. */
async function ownGraph(
  makeGraph: MakeGraph,
  replies: readonly ScriptedReply[],
  result: (note: string | undefined) => string = () => 'noted',
) {
  const provider = await startProvider(inTurn(replies));
  const options = { baseUrl: provider.baseUrl, timeoutMs: 10_000, maxRetries: 0 };
  const model = await createModel('openai:scripted', options);
  const notes: (string | undefined)[] = [];
  // Takes anything, so that its schema is no help.
  const note = tool(
    (input: { readonly note?: string }) => {
      notes.push(input.note);
      return result(input.note);
    },
    { name: 'note', description: 'Notes.', schema: z.object({ note: z.string().optional() }) },
  ) as unknown as StructuredTool;
  const stack = await stackWith(graphAgent(makeGraph(model, note)));
  const resultsTold = () =>
    provider.requests.at(-1)!.messages.flatMap(({ role, content }) => (role === 'tool' ? [content] : []));
  return { ...stack, provider, notes, resultsTold };
}

describe.each(GRAPHS)('tools in a custom graph with %s', (_name, makeGraph) => {
  it.each([
    ['{"note":"line1', 'length'],
    ['{"note":"line1', 'tool_calls'],
    ['', 'length'],
    ['no JSON at all', 'tool_calls'],
  ])(
    'does not make a call with the arguments %j and finish reason %s, and tells the model',
    async (args, why) => {
      const cut = { chunks: [callDelta({ id: 'c1', name: 'note', args }), delta({}, why)] };
      const { answerTo, notes, resultsTold, provider } = await ownGraph(makeGraph, [cut]);
      const answered = await answerTo('Note it');
      expect(notes).toEqual([]);
      expect(getEnd(answered)).toMatchObject({ outcome: 'completed' });
      expect(answered.text).toBe('Done.');
      expect(resultsTold()).toEqual([expect.stringContaining('The call was not made')]);
      expect(provider.refusals).toEqual([]);
    },
  );

  it('makes calls that reuse an id in the same turn or a later one, and stores distinct ids', async () => {
    const { answerTo, notes, provider, readMessages } = await ownGraph(makeGraph, [
      calls('call_1', 'note', '{"note":"one"}'),
      calls('call_1', 'note', '{"note":"two"}'),
      says('Noted.'),
      calls('call_1', 'note', '{"note":"three"}'),
    ]);
    const { threadId } = await answerTo('Note it');
    const second = await answerTo('Again', threadId);
    expect(notes).toEqual(['one', 'two', 'three']);
    expect(second.text).toBe('Done.');
    expect(provider.refusals).toEqual([]);
    const kept = await readMessages(threadId);
    const ids = kept.flatMap((message) => (message as AIMessage).tool_calls?.map(({ id }) => id) ?? []);
    expect(new Set(ids).size).toBe(3);
  });

  it('cuts a tool result to its limit and makes it well-formed, so that the thread can go on', async () => {
    const long = 'x'.repeat(3_000_000);
    const replies = [calls('c1', 'note', '{"note":"long"}'), calls('c2', 'note', '{"note":"half"}')];
    const { answerTo, provider, resultsTold } = await ownGraph(makeGraph, replies, (asked) =>
      asked === 'long' ? long : 'a result \ud83d',
    );
    const first = await answerTo('Note it');
    expect(getEnd(first)).toMatchObject({ outcome: 'completed' });
    const [cut, half] = resultsTold();
    expect(cut).toMatch(/Cut: these are the first 131072 of 3000000 characters\.\]$/);
    expect(half).toBe('a result \ufffd');
    expect(getEnd(await answerTo('And now?', first.threadId))).toMatchObject({ outcome: 'completed' });
    expect(provider.refusals).toEqual([]);
  });
});

describe('a ToolNode in a custom graph', () => {
  it('reports a call that was cut off and not made as invalid input', async () => {
    const cut = { chunks: [callDelta({ id: 'c1', name: 'note', args: '{"no' }), delta({}, 'length')] };
    const { answerTo } = await ownGraph(GRAPHS[0]![1], [cut]);
    expect(toolEnds((await answerTo('Note it')).log)).toEqual(['c1 invalid-input']);
  });
});

describe('the tool retry middleware of LangChain', () => {
  it('gives each try of a tool call its own id', async () => {
    let tries = 0;
    const { answerTo } = await ownGraph(
      (model, note) =>
        createAgent({
          model,
          tools: [note],
          middleware: [toolRetryMiddleware({ maxRetries: 2, initialDelayMs: 1, jitter: false })],
        }).graph,
      [calls('c1'), says('Noted.'), calls('c1')],
      () => {
        tries += 1;
        if (tries < 3) throw new Error('Not yet.');
        return 'noted';
      },
    );
    const first = await answerTo('Note it');
    expect(toolEnds(first.log)).toEqual(['c1 error', 'c1.try-2 error', 'c1.try-3 ok']);
    expect(getEnd(first)).toMatchObject({ outcome: 'completed' });
  });
});
