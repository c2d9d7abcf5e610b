import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { makeGraphProject, TEMPLATE_FILES } from '../src/agents/langgraph/graph-project.testing.js';
import { loadConfig } from '../src/app/config.js';
import { appServers } from './support/app.server.js';
import { postJson } from './support/post-json.js';

const ECHO = 'test/fixtures/echo-graph.mjs';
const TOOLS = 'test/fixtures/tool-graph.mjs';

describe('AGENTS setting', () => {
  const start = appServers();

  it('serves a graph in place of the demo agent and remembers its threads', async () => {
    const server = await start({ AGENTS: `echo=${ECHO}#graph` });
    const agents = await fetch(`${server.origin}/api/chat/agents`);
    expect(await agents.json()).toMatchObject({
      default: 'echo',
      items: [{ name: 'echo' }],
    });

    const first = await server.ask({ message: 'one' });
    expect(await first.closed()).toBe('end');
    expect(first.text).toBe('You said: one.');
    const { threadId } = first.frames[0]!.data;
    const second = await server.ask({ message: 'two', agent: 'echo', threadId });
    expect(await second.closed()).toBe('end');
    expect(second.text).toBe('You said: one, then two.');
    expect(second.events.map(({ event }) => event)).toEqual([
      'run-start',
      'step-start',
      'custom',
      'text-start',
      'text-delta',
      'text-end',
      'step-end',
      'end',
    ]);
  });

  it('does not reveal in any protocol which file an agent was loaded from', async () => {
    const path = resolve(ECHO);
    const server = await start({ AGENTS: `echo=${path}#graph` });
    const json = (body: object) => ({
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const asked: readonly [string, RequestInit?][] = [
      ['api/chat/agents'],
      ['protocols/ag-ui/info'],
      ['protocols/ag-ui/copilotkit/info'],
      ['protocols/langgraph/assistants/search', json({})],
      ['protocols/langgraph/info'],
      ['protocols/openai/v1/models'],
      ['protocols/a2a/.well-known/agent-card.json'],
      ['.well-known/agent-card.json'],
      ['docs-json'],
    ];
    let described = 0;
    for (const [route, init] of asked) {
      const response = await fetch(`${server.origin}/${route}`, init);
      const text = await response.text();
      expect({ route, leaks: /echo\.graph|fixtures/.test(text) || text.includes(dirname(path)) }).toEqual({
        route,
        leaks: false,
      });
      if (text.includes("Answers with the graph 'echo'")) described += 1;
    }
    expect(described).toBeGreaterThanOrEqual(2);
  });

  it('offers the assistant beside a graph when a model or DEFAULT_AGENT asks for it, default agent first', async () => {
    const agentsWith = async (env: Record<string, string>) => {
      const server = await start({ AGENTS: `echo=${ECHO}#graph`, ...env });
      const { default: first, items } = (await (await fetch(`${server.origin}/api/chat/agents`)).json()) as {
        default: string;
        items: { name: string }[];
      };
      return [first, ...items.map(({ name }) => name)];
    };
    expect(await agentsWith({ DEFAULT_AGENT: 'assistant' })).toEqual(['assistant', 'assistant', 'echo']);
    const provider = { MODEL: 'openai:some', OPENAI_API_KEY: 'key' };
    expect(await agentsWith(provider)).toEqual(['echo', 'echo', 'assistant']);
    await expect(start({ AGENTS: `echo=${ECHO}#graph`, DEFAULT_AGENT: 'other' })).rejects.toThrow(
      'DEFAULT_AGENT=other: there is no such agent. Write one of echo, assistant',
    );
  });

  it("shows input and output of a graph's own tools only when EXPOSED_TOOLS names them", async () => {
    const toolEvents = async (env: Record<string, string>) => {
      const server = await start({ AGENTS: `rain=${TOOLS}#graph`, ...env });
      const asked = await server.ask({ message: 'Rain?' });
      expect(await asked.closed()).toBe('end');
      return asked.frames.map(({ data }) => data).filter(({ type }) => type.startsWith('tool-'));
    };
    const shown = [{ input: { city: 'Bergen' } }, { output: 'Rain in Bergen.' }];
    expect(await toolEvents({ EXPOSED_TOOLS: 'rain.*' })).toMatchObject(shown);
    expect(await toolEvents({ EXPOSED_TOOLS: 'rain.look' })).toMatchObject(shown);
    for (const hidden of [await toolEvents({}), await toolEvents({ EXPOSED_TOOLS: 'rain.other' })]) {
      expect(hidden).toHaveLength(2);
      expect(JSON.stringify(hidden)).not.toContain('Bergen');
    }
  });

  it('limits the steps of a graph by its own recursionLimit, or else by RECURSION_LIMIT', async () => {
    const project = await makeGraphProject({
      'loop.mjs': `
import { Annotation, END, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
const State = Annotation.Root({ ...MessagesAnnotation.spec, n: Annotation() });
const loop = (turns) => new StateGraph(State)
  .addNode('count', ({ n = 0 }) => ({ n: n + 1 }))
  .addEdge(START, 'count')
  .addConditionalEdges('count', ({ n }) => (n % turns === 0 ? END : 'count'))
  .compile();
export const long = loop(150).withConfig({ recursionLimit: 500 });
export const short = loop(6);
`,
    });
    try {
      const file = join(project.directory, 'loop.mjs');
      const server = await start({ AGENTS: `long=${file}#long,short=${file}#short`, RECURSION_LIMIT: '5' });
      const readEnd = async (agent: string) => {
        const asked = await server.ask({ message: 'Go.', agent });
        await asked.closed();
        return asked.frames.at(-1)?.data;
      };
      expect(await readEnd('long')).toMatchObject({ outcome: 'completed' });
      expect(await readEnd('short')).toMatchObject({ outcome: 'failed', error: { code: 'RUN_LIMIT' } });
    } finally {
      await project.remove();
    }
  });

  it('offers graphs with the types of files that AGENT_ACCEPTS gives them, and refuses one that is not there', async () => {
    const AGENTS = `echo=${ECHO}#graph,rain=${TOOLS}#graph`;
    const server = await start({ AGENTS, AGENT_ACCEPTS: 'echo.image/*,echo.application/pdf' });
    const response = await fetch(`${server.origin}/api/chat/agents`);
    const { items } = (await response.json()) as { items: { name: string; accepts?: string[] }[] };
    expect(items.map(({ name, accepts }) => [name, accepts])).toEqual([
      ['echo', ['image/*', 'application/pdf']],
      ['rain', undefined],
    ]);
    const message = [{ type: 'file', data: Buffer.from('%PDF-1.7').toString('base64') }];
    const ask = async (agent: string) =>
      (await postJson(`${server.origin}/api/chat/runs`, { message, agent })).status;
    expect([await ask('echo'), await ask('rain')]).toEqual([202, 422]);
    for (const AGENT_ACCEPTS of ['other.image/*', 'echo', 'echo.image'])
      await expect(start({ AGENTS, AGENT_ACCEPTS })).rejects.toThrow('AGENT_ACCEPTS');
  });

  it('refuses to start when a graph cannot be loaded, and suggests the right name', async () => {
    await expect(start({ AGENTS: `echo=${ECHO}#grapf` })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(`${ECHO}#graph`),
    });
  });
});

describe('LANGGRAPH_JSON setting', () => {
  const start = appServers();

  it('serves every graph of an unchanged langgraph.json with its env file', async () => {
    const project = await makeGraphProject({
      ...TEMPLATE_FILES,
      '.env': 'GREETING_OF_PROJECT=Hello',
      'src/env.mjs': `
import { AIMessage } from '@langchain/core/messages';
import { END, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
const greeting = process.env.GREETING_OF_PROJECT;
export const graph = new StateGraph(MessagesAnnotation)
  .addNode('greet', () => ({ messages: [new AIMessage(greeting ?? 'nothing')] }))
  .addEdge(START, 'greet').addEdge('greet', END);
`,
      'langgraph.json': JSON.stringify({
        node_version: '20',
        dependencies: ['.'],
        graphs: {
          my_Agent: './src/agent/graph.ts:graph',
          per_run: { path: './src/agent/graph.ts:makeGraph', description: 'Made for each run.' },
          env: './src/env.mjs:graph',
        },
        env: '.env',
        auth: { path: './auth.ts:auth' },
        checkpoints: {},
      }),
    });
    try {
      const server = await start({ LANGGRAPH_JSON: join(project.directory, 'langgraph.json') });
      const agents = await fetch(`${server.origin}/api/chat/agents`);
      expect(await agents.json()).toMatchObject({
        default: 'my_Agent',
        items: [
          { name: 'my_Agent' },
          { name: 'per_run', description: 'Made for each run.' },
          { name: 'env' },
        ],
      });
      const textFrom = async (body: object) => {
        const asked = await server.ask({ message: 'Hi.', ...body });
        expect(await asked.closed()).toBe('end');
        return asked.text;
      };
      expect(await textFrom({})).toBe('Good day.');
      expect(await textFrom({ agent: 'env' })).toBe('Hello');
      expect(await textFrom({ agent: 'per_run', metadata: { name: 'Ann' } })).toBe('Good day, Ann.');
      expect(await textFrom({ agent: 'per_run', metadata: { name: 'Bob' } })).toBe('Good day, Bob.');
    } finally {
      delete process.env['GREETING_OF_PROJECT'];
      await project.remove();
    }
  });

  it('honours the index of `store`, and rejects an `embed` that it cannot load', async () => {
    const graph = `
import { AIMessage } from '@langchain/core/messages';
import { MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
export const graph = new StateGraph(MessagesAnnotation)
  .addNode('find', async ({ messages }, { store }) => {
    await store.put(['d'], 'first', { title: 'aaa' });
    await store.put(['d'], 'second', { title: 'bbb' });
    const found = await store.search(['d'], { query: messages.at(-1).text });
    return { messages: [new AIMessage(found.map(({ key }) => key).join(', '))] };
  })
  .addEdge(START, 'find');
`;
    const embed = `
const count = (text: string) => ['a', 'b'].map((letter) => text.split(letter).length - 1);
export const embed = async (texts: string[]) => texts.map(count);
`;
    const fileWith = (how: string) =>
      JSON.stringify({
        graphs: { find: './graph.mjs:graph' },
        store: { index: { dims: 2, embed: how, fields: ['title'] } },
      });
    const project = await makeGraphProject({
      'package.json': '{ "type": "module" }',
      'graph.mjs': graph,
      'embed.ts': embed,
      'langgraph.json': fileWith('./embed.ts:embed'),
      'other.json': fileWith('cohere:some'),
      'absent.json': fileWith('./none.ts:embed'),
      'openai.json': fileWith('openai:text-embedding-3-small'),
    });
    try {
      const at = (file: string) => ({ LANGGRAPH_JSON: join(project.directory, file) });
      const server = await start(at('langgraph.json'));
      const asked = await server.ask({ message: 'b' });
      expect(await asked.closed()).toBe('end');
      expect(asked.text).toBe('second, first');
      expect(() => loadConfig(at('other.json'))).toThrow(
        "`store.index.embed` is 'cohere:some'. Write openai:<model>",
      );
      await expect(start(at('absent.json'))).rejects.toThrow('does not exist');
      await expect(start(at('openai.json'))).rejects.toThrow('needs a key. Set OPENAI_API_KEY');
    } finally {
      await project.remove();
    }
  });

  it('warns about fields without a counterpart, and rejects a file that is not a langgraph.json', async () => {
    const project = await makeGraphProject({
      'langgraph.json': JSON.stringify({
        graphs: { echo: resolve(ECHO) },
        env: ['SOME_KEY'],
        auth: { path: './auth.ts:auth' },
        store: { ttl: { default_ttl: 2, sweep_interval_minutes: 5, odd: 1 }, path: './store.ts' },
        odd: 1,
      }),
    });
    try {
      const file = join(project.directory, 'langgraph.json');
      const { warnings, chat } = loadConfig({ LANGGRAPH_JSON: file });
      expect(chat.store).toMatchObject({ scope: 'user', ttlMs: 120_000 });
      expect(loadConfig({ LANGGRAPH_JSON: file, STORE_TTL_MINUTES: '7' }).chat.store.ttlMs).toBe(420_000);
      expect(warnings).toEqual([
        expect.stringMatching(/`auth` of langgraph.json: .*AUTH_JWT_SECRET/),
        expect.stringMatching(/`odd` of langgraph.json: It has no counterpart/),
        expect.stringContaining('SOME_KEY'),
        expect.stringMatching(/`store.ttl.sweep_interval_minutes` .* once a minute/),
        expect.stringMatching(/`store.path` .* no effect/),
        expect.stringMatching(/`store.ttl.odd` .* no effect/),
      ]);
      const load = (env: Record<string, string>) => () => loadConfig(env);
      expect(load({ LANGGRAPH_JSON: join(project.directory, 'none.json') })).toThrow(
        'the file cannot be read',
      );
      expect(load({ LANGGRAPH_JSON: resolve(ECHO) })).toThrow('it is not JSON');
      expect(load({ LANGGRAPH_JSON: resolve('package.json') })).toThrow('it is not a langgraph.json');
      expect(load({ LANGGRAPH_JSON: file, AGENTS: `echo=${ECHO}` })).toThrow("'echo' is in AGENTS, too");
    } finally {
      await project.remove();
    }
  });
});
