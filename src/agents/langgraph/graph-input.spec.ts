import { afterEach, describe, expect, it } from '@jest/globals';
import { AIMessage, type BaseMessage } from '@langchain/core/messages';
import { tool } from '@langchain/core/tools';
import {
  Annotation,
  MessageGraph,
  MessagesAnnotation,
  START,
  StateGraph,
  type LangGraphRunnableConfig,
} from '@langchain/langgraph';
import { createAgent, createMiddleware } from 'langchain';
import { z } from 'zod';
import { ADA } from '../../runs/run.testing.js';
import type { RunHooks } from '../../runs/run.hooks.js';
import type { StartRunRequest } from '../../runs/run.service.js';
import { call, closeStacks, graphAgent, scripted, stackWith } from './langgraph-stack.testing.js';
import { findToolMessages } from './langgraph.testing.js';
import type { LangGraphAgentOptions } from './langgraph-agent.options.js';

afterEach(closeStacks);

/** A dot, in base64. */
const PNG =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

async function served(graph: unknown, options: Partial<LangGraphAgentOptions> = {}, hooks: RunHooks = {}) {
  const stack = await stackWith(graphAgent(graph, options), { hooks });
  const start = (request: Omit<StartRunRequest, 'principal'>) =>
    stack.runs.start({ principal: ADA, ...request });
  return {
    start,
    refusal: (request: Parameters<typeof start>[0]) =>
      start(request).then(
        () => undefined,
        (error: unknown) => error as Error,
      ),
    async answer(request: Parameters<typeof start>[0]) {
      const { id } = await start(request);
      const log = await stack.readLog(id);
      expect(log.at(-1)?.event).toMatchObject({ outcome: 'completed' });
      return log.flatMap(({ event }) => (event.type === 'text-delta' ? [event.delta] : [])).join('');
    },
  };
}

describe('the input of a graph', () => {
  const Asked = z.object({ question: z.string(), depth: z.number().max(3).optional() });
  const State = Annotation.Root({
    ...MessagesAnnotation.spec,
    question: Annotation<string>,
    depth: Annotation<number>,
  });
  const graph = new StateGraph({ state: State, input: Asked } as never)
    .addNode('answer', (({ question, depth }: { question: string; depth?: number }) => ({
      messages: [new AIMessage(`${question} at ${depth ?? 'no depth'}`)],
    })) as never)
    .addEdge(START, 'answer');

  it('passes input to the graph, and refuses input that does not fit its schema before the run starts', async () => {
    const agent = await served(graph);
    const asked = { message: 'Why?', isWithoutMessage: true };
    expect(await agent.answer({ ...asked, input: { question: 'Why?', depth: 2 } })).toBe('Why? at 2');
    expect(await agent.refusal({ ...asked, input: { question: 'Why?', depth: 7 } })).toMatchObject({
      code: 'REQUEST_INVALID',
      message: expect.stringMatching(/<=3/),
    });
    expect(await agent.refusal({ ...asked, input: { depth: 1 } })).toMatchObject({
      message: expect.stringContaining('question'),
    });
    expect(await agent.refusal({ ...asked, input: { question: 'Why?', other: 1 } })).toMatchObject({
      message: 'input.other: This agent does not take it. It takes: question, depth.',
    });
  });

  it('asks for input when the graph takes no message', async () => {
    const agent = await served(graph);
    expect(await agent.refusal({ message: 'Hello.' })).toMatchObject({
      message: 'input: This agent takes no message. Send its input: question, depth.',
    });
  });

  it('refuses a graph whose state has no keys, as a MessageGraph', async () => {
    const old = new MessageGraph().addNode('answer', () => new AIMessage('Yes.')).addEdge(START, 'answer');
    await expect(served(old.compile())).rejects.toThrow(/no keys.*StateGraph\(MessagesAnnotation\)/);
  });

  it('passes messages with parts, and messages before the last one, beside other input keys', async () => {
    const seen: BaseMessage[][] = [];
    const Moody = Annotation.Root({ ...MessagesAnnotation.spec, mood: Annotation<string> });
    const agent = await served(
      new StateGraph(Moody)
        .addNode('answer', ({ messages, mood }) => {
          seen.push(messages);
          return { messages: [new AIMessage(`In ${mood}.`)] };
        })
        .addEdge(START, 'answer'),
      { accepts: ['image/*'] },
    );
    const content = [
      { type: 'text', text: 'What is this?' },
      { type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}` } },
    ];
    const input = {
      mood: 'peace',
      messages: [
        { role: 'system', content: 'Be kind.' },
        { role: 'user', content },
      ],
    };
    expect(await agent.answer({ message: 'What is this?', input })).toBe('In peace.');
    expect(seen[0]!.map((message) => [message.getType(), message.content])).toEqual([
      ['system', 'Be kind.'],
      ['human', content],
    ]);
  });

  it('checks the files in messages of an input as those of a message, wherever they stand', async () => {
    const look = new StateGraph(MessagesAnnotation)
      .addNode('answer', () => ({ messages: [new AIMessage('Seen.')] }))
      .addEdge(START, 'answer');
    const agent = await served(look, { accepts: ['image/*'] });
    const blind = await served(look);
    const picture = { type: 'image', mimeType: 'image/png', data: PNG };
    const elsewhere = { type: 'image_url', image_url: 'https://example.com/a.png' };
    const withBlock = (block: object) => ({
      message: 'Look.',
      input: {
        messages: [
          { role: 'user', content: [block] },
          { role: 'assistant', content: 'Hm.' },
          { role: 'user', content: 'Look.' },
        ],
      },
    });
    expect(await agent.answer(withBlock(picture))).toBe('Seen.');
    expect(await blind.refusal(withBlock(picture))).toMatchObject({ code: 'FILE_NOT_ACCEPTED' });
    const pdf = Buffer.from('%PDF-1.7').toString('base64');
    for (const [block, code] of [
      [elsewhere, 'FILE_REFUSED'],
      [{ type: 'file', fileId: 'file-of-a-provider' }, 'FILE_REFUSED'],
      // What it says of itself does not count, nor does good data beside an address.
      [{ ...picture, data: 'AAAA' }, 'FILE_REFUSED'],
      [{ ...picture, data: pdf }, 'FILE_NOT_ACCEPTED'],
      [{ ...picture, url: 'https://example.com/a.png' }, 'FILE_REFUSED'],
      [
        { type: 'document', source: { type: 'base64', media_type: 'image/png', data: pdf } },
        'FILE_NOT_ACCEPTED',
      ],
      [{ type: 'input_audio', input_audio: { format: 'wav', data: 'AAAA' } }, 'FILE_REFUSED'],
    ] as const)
      expect([block, await agent.refusal(withBlock(block))]).toMatchObject([block, { code }]);
    const { messages } = withBlock(elsewhere).input;
    for (const written of [
      { type: 'constructor', lc: 1, id: ['HumanMessage'], kwargs: { content: [elsewhere] } },
      { type: 'human', data: { content: [elsewhere] } },
      ['user', [elsewhere]],
    ])
      expect(
        await agent.refusal({ message: 'Look.', input: { messages: [written, ...messages.slice(1)] } }),
      ).toMatchObject({
        code: 'FILE_REFUSED',
      });
    expect(await agent.refusal({ message: 'Look.', input: { messages: messages[0] } })).toMatchObject({
      code: 'FILE_REFUSED',
    });
  });
});

describe('context and configurable of a run', () => {
  /** Returns the entries of `configurable` that are neither LangGraph's nor ours. */
  const named = (configurable: Record<string, unknown> = {}) =>
    Object.fromEntries(Object.entries(configurable).filter(([key]) => /^(langgraph_|model)/.test(key)));

  const echo = (contextSchema?: z.ZodType) =>
    new StateGraph(MessagesAnnotation, contextSchema as never)
      .addNode('answer', (_: typeof MessagesAnnotation.State, config: LangGraphRunnableConfig) => ({
        messages: [
          new AIMessage(
            JSON.stringify({
              context: config.context,
              metadata: config.metadata,
              ...named(config.configurable),
            }),
          ),
        ],
      }))
      .addEdge(START, 'answer');

  const read = async (agent: Awaited<ReturnType<typeof served>>, request: Partial<StartRunRequest> = {}) =>
    JSON.parse(await agent.answer({ message: 'Who am I?', ...request })) as Record<
      string,
      Record<string, unknown>
    >;

  it('passes on the context that beforeRun sets, in the place of what the request has sent', async () => {
    const hooks: RunHooks = {
      beforeRun: ({ context, ...request }) => ({ ...request, context: { ...context, plan: 'gold' } }),
    };
    const agent = await served(echo(z.object({ plan: z.string() }).loose()), {}, hooks);
    const { context } = await read(agent, { context: { plan: 'free', tone: 'dry' } });
    expect(context).toMatchObject({ plan: 'gold', tone: 'dry' });
  });

  it('takes a user_id from a request only if the list has it by name, and tells who asks all the same', async () => {
    const configurable = { user_id: 'eve' };
    for (const listed of [true, ['model'], ['*']])
      expect(
        await (await served(echo(), { configurable: listed })).refusal({ message: 'x', configurable }),
      ).toMatchObject({ code: 'REQUEST_INVALID' });
    for (const listed of [['user_id'], ['*', 'user_id']]) {
      const agent = await served(echo(), { configurable: listed });
      expect(await read(agent, { configurable })).toMatchObject({
        langgraph_auth_user_id: ADA.userId,
      });
    }
  });

  it("passes the caller to the graph as LangGraph's platform does, and ignores or refuses forged values", async () => {
    const agent = await served(echo(), { configurable: ['model'] });
    const seen = await read(agent, {
      metadata: { team: 'blue', source: 'mine' },
      context: { tone: 'dry', principal: { userId: 'eve' } },
      configurable: { model: 'small' },
    });
    expect(seen).toMatchObject({
      model: 'small',
      langgraph_auth_user: { identity: ADA.userId, permissions: [...ADA.roles], is_authenticated: true },
      langgraph_auth_user_id: ADA.userId,
      langgraph_auth_permissions: [...ADA.roles],
      langgraph_request_id: expect.stringMatching(/^\w+$/) as unknown,
      context: {
        tone: 'dry',
        principal: { userId: ADA.userId, tenant: ADA.tenant },
        metadata: { team: 'blue' },
      },
      metadata: { team: 'blue' },
    });
    for (const key of ['thread_id', 'langgraph_auth_user', '__agent_stream_run', 'other']) {
      expect(await agent.refusal({ message: 'x', configurable: { [key]: 'eve' } })).toMatchObject({
        code: 'REQUEST_INVALID',
        message: expect.stringContaining(`configurable.${key}`),
      });
    }
  });

  it("refuses context that does not fit the graph's schema before the run starts", async () => {
    const agent = await served(echo(z.object({ tone: z.enum(['dry', 'warm']) })));
    expect((await read(agent, { context: { tone: 'dry' } })).context).toMatchObject({ tone: 'dry' });
    for (const context of [{ tone: 'loud' }, {}]) {
      expect(await agent.refusal({ message: 'x', context })).toMatchObject({
        code: 'REQUEST_INVALID',
        message: expect.stringMatching(/^context: .*tone/s),
      });
    }
    const strict = await served(echo(z.strictObject({ tone: z.string() })));
    expect((await read(strict, { context: { tone: 'dry' } })).context).toEqual({ tone: 'dry' });
    const asksWho = await served(echo(z.object({ principal: z.object({ userId: z.string() }) })));
    expect((await read(asksWho)).context).toMatchObject({ principal: { userId: ADA.userId } });
  });

  it("passes the context to the tools and middleware of LangChain's agents", async () => {
    const seen: unknown[] = [];
    const who = tool(
      (_, { context }: { context?: unknown }) => {
        seen.push(context);
        return 'You.';
      },
      { name: 'who', description: 'Who asks.', schema: z.object({}) },
    );
    const middleware = createMiddleware({
      name: 'watch',
      contextSchema: z.object({ principal: z.object({ userId: z.string() }) }),
      beforeModel: (_, runtime) => {
        seen.push(runtime.context);
        return undefined;
      },
    });
    const model = scripted((messages) =>
      findToolMessages(messages).length > 0 ? { chunks: ['Done.'] } : { calls: [call('w', 'who', '{}')] },
    );
    const agent = await served(createAgent({ model, tools: [who], middleware: [middleware] }));
    await agent.answer({ message: 'Who?' });
    expect(seen).toHaveLength(3);
    for (const context of seen) expect(context).toMatchObject({ principal: { userId: ADA.userId } });
  });

  it('passes configurable to the function that makes the graph of a run', async () => {
    const factory = (config: LangGraphRunnableConfig) => {
      const { langgraph_auth_user: user, model } = config.configurable ?? {};
      const { identity } = user as { identity: string };
      return new StateGraph(MessagesAnnotation)
        .addNode('answer', () => ({
          messages: [new AIMessage(`${identity} ${String(model)}`)],
        }))
        .addEdge(START, 'answer');
    };
    const agent = await served(factory, { configurable: true });
    expect(await agent.answer({ message: 'x', configurable: { model: 'm' } })).toBe(`${ADA.userId} m`);
  });
});
