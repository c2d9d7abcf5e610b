import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AppError } from '../../errors.js';
import { loadGraph, parseAgents } from './graph.loader.js';

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

  it.each(['', '#graph', '#agent', '#make', '#makeLater', '#default'])(
    'loads the export %j',
    async (name) => {
      const graph = await loadGraph(path + name);
      expect(Object.keys(graph.channels)).toContain('messages');
      expect(graph).toHaveProperty('checkpointer');
    },
  );

  it.each([
    ['a file that does not exist', './nowhere.js#graph', "'./nowhere.js' does not exist"],
    ['a folder', '.', "'.' does not exist"],
  ])('refuses %s', async (_, reference, message) => {
    await expectRefusal(loadGraph(reference), message);
  });

  it('names what there is when the export is missing', async () => {
    await expectRefusal(loadGraph(`${path}#graf`), `has no export 'graf'. Write one of: `);
    await expectRefusal(loadGraph(`${path}#graf`), `${path}#graph`);
    await expectRefusal(loadGraph(join(directory, 'empty.mjs')), 'It exports nothing');
  });

  it('says what to export instead of something that is no compiled graph', async () => {
    await expectRefusal(loadGraph(`${path}#builder`), 'export graph.compile()');
    await expectRefusal(loadGraph(`${path}#number`), 'the result of createAgent(…)');
  });

  it('keeps the cause of a module or function that fails, and does not show it', async () => {
    const faulty = await expectRefusal(loadGraph(join(directory, 'faulty.mjs')), 'fails while it is loaded');
    expect(faulty.message).not.toContain('secret');
    expect(faulty.cause).toMatchObject({ message: 'secret path' });
    const broken = await expectRefusal(loadGraph(`${path}#broken`), 'fails to make a graph');
    expect(broken.cause).toMatchObject({ message: 'no database' });
  });

  it('loads a module once, also by another spelling of its path', async () => {
    const direct = (await import(pathToFileURL(join(directory, 'agents.mjs')).href)) as { graph: unknown };
    expect(await loadGraph(`${path}#graph`)).toBe(direct.graph);
  });
});

describe('parseAgents', () => {
  it('reads names and references', () => {
    expect(parseAgents('support=./a/b.js#graph, help-2=dist/c.mjs')).toEqual([
      { name: 'support', reference: './a/b.js#graph' },
      { name: 'help-2', reference: 'dist/c.mjs' },
    ]);
    expect(parseAgents('')).toEqual([]);
    expect(parseAgents('a=x.js,')).toEqual([{ name: 'a', reference: 'x.js' }]);
  });

  it('lists every faulty entry', () => {
    const read = () => parseAgents('Bad=x.js,ok=y.js,=z.js,plain,ok=again.js,e=f.js#,g=h.js#1x');
    expect(read).toThrow(AppError);
    for (const entry of [
      "'Bad=x.js'",
      "'=z.js'",
      "'plain'",
      "'ok' is there twice",
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
