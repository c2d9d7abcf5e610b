import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AIMessage } from '@langchain/core/messages';
import { CompiledStateGraph } from '@langchain/langgraph';
import { AppError } from '../../errors.js';
import { makeGraphProject, TEMPLATE_FILES } from './graph-project.testing.js';
import { loadGraph, parseAgents } from './graph.loader.js';
import type { CompiledGraph } from './graph-source.js';

const MODULE = `
import { MessagesAnnotation, START, StateGraph } from '${import.meta.resolve('@langchain/langgraph')}';
import { createAgent, FakeToolCallingModel } from '${import.meta.resolve('langchain')}';
export const builder = new StateGraph(MessagesAnnotation).addNode('only', () => ({})).addEdge(START, 'only');
export const graph = builder.compile();
export default graph;
export const agent = createAgent({ model: new FakeToolCallingModel({}), tools: [] });
export const make = () => graph;
export const makeLater = async () => agent;
export const broken = () => { throw new Error('no database'); };
export const number = 7;
export const logger = globalThis[Symbol.for('langgraph.api.sdk-logger')].info('A graph is loaded.');
export const torn = new StateGraph(MessagesAnnotation).addNode('only', () => ({})).addEdge(START, 'nowhere');
export const perRun = (config) => config.configurable.user === 'ann' ? graph : builder;
`;

describe('loadGraph', () => {
  let directory: string;
  let path: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'graphs-'));
    path = relative(process.cwd(), join(directory, 'agents.mjs'));
    await writeFile(path, MODULE);
    await writeFile(join(directory, 'faulty.mjs'), 'throw new Error("secret path");');
    await writeFile(join(directory, 'empty.mjs'), '');
  });

  afterAll(() => rm(directory, { recursive: true }));

  it.each(['', '#graph', ':graph', '#agent', '#make', '#makeLater', '#builder', '#default'])(
    'loads a graph from the export %j',
    async (name) => {
      const graph = (await loadGraph(path + name)) as CompiledGraph;
      expect(Object.keys(graph.channels as object)).toContain('messages');
      expect(graph).toHaveProperty('checkpointer');
    },
  );

  it.each([
    ['a file that does not exist', './nowhere.js#graph', "'./nowhere.js' does not exist"],
    ['a folder', '.', "'.' does not exist"],
  ])('refuses to load %s', async (_, reference, message) => {
    await expectRefusal(loadGraph(reference), message);
  });

  it('lists the exports that there are when the named one is missing', async () => {
    await expectRefusal(loadGraph(`${path}#graf`), `has no export 'graf'. Write one of: `);
    await expectRefusal(loadGraph(`${path}#graf`), `${path}#graph`);
    await expectRefusal(loadGraph(join(directory, 'empty.mjs')), 'It exports nothing');
  });

  it('says what to export when the export is not a graph or cannot be compiled', async () => {
    await expectRefusal(loadGraph(`${path}#number`), 'the result of createAgent(…)');
    const torn = await expectRefusal(loadGraph(`${path}#torn`), 'cannot be compiled');
    expect(torn.cause).toBeInstanceOf(Error);
  });

  it('returns a function that takes a config without calling it', async () => {
    const factory = await loadGraph(`${path}#perRun`);
    expect(typeof factory).toBe('function');
  });

  it("loads TypeScript graphs as LangGraph's templates write them, with the same LangGraph classes", async () => {
    const project = await makeGraphProject(TEMPLATE_FILES);
    try {
      const file = join(project.directory, 'src/agent/graph.ts');
      const graph = (await loadGraph(`${file}:graph`)) as CompiledGraph;
      expect(graph).toBeInstanceOf(CompiledStateGraph);
      const state = (await graph.invoke({ messages: [] })) as { messages: unknown[]; mood: string };
      expect(state.mood).toBe('loud');
      expect(AIMessage.isInstance(state.messages[0]) && state.messages[0].text).toBe('Good day.');
      expect(await loadGraph(`${file}#builder`)).toBeInstanceOf(CompiledStateGraph);
    } finally {
      await project.remove();
    }
  });

  it('keeps the cause of a module or function that fails, without showing it in the message', async () => {
    const faulty = await expectRefusal(
      loadGraph(join(directory, 'faulty.mjs')),
      'threw an error while it was loaded',
    );
    expect(faulty.message).not.toContain('secret');
    expect(faulty.cause).toMatchObject({ message: 'secret path' });
    const broken = await expectRefusal(loadGraph(`${path}#broken`), 'did not return a graph');
    expect(broken.cause).toMatchObject({ message: 'no database' });
  });

  it('loads a module once even when its path is spelled in two ways', async () => {
    const direct = (await import(pathToFileURL(join(directory, 'agents.mjs')).href)) as { graph: unknown };
    expect(await loadGraph(`${path}#graph`)).toBe(direct.graph);
  });
});

describe('parseAgents', () => {
  it('parses names and references of agents', () => {
    expect(parseAgents('support=./a/b.js#graph, help-2=dist/c.mjs')).toEqual([
      { name: 'support', reference: './a/b.js#graph' },
      { name: 'help-2', reference: 'dist/c.mjs' },
    ]);
    expect(parseAgents('my_Agent=./a.ts:graph')).toEqual([{ name: 'my_Agent', reference: './a.ts:graph' }]);
    expect(parseAgents('')).toEqual([]);
    expect(parseAgents('a=x.js,')).toEqual([{ name: 'a', reference: 'x.js' }]);
  });

  it('lists every faulty entry in the error', () => {
    const read = () => parseAgents('B.d=x.js,ok=y.js,=z.js,plain,ok=again.js,e=f.js#,g=h.js#1x');
    expect(read).toThrow(AppError);
    for (const entry of [
      "'B.d=x.js'",
      "'=z.js'",
      "'plain'",
      "'ok' is listed twice",
      "'e=f.js#'",
      "'g=h.js#1x'",
    ]) {
      expect(read).toThrow(entry);
    }
  });
});

async function expectRefusal(loading: Promise<unknown>, message: string): Promise<AppError> {
  const error = await loading.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(AppError);
  expect(error).toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining(message) });
  return error as AppError;
}
