import { describe, expect, it } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeGraphProject } from './graph-project.testing.js';
import { TypedSchemas } from './typed-schemas.js';

/** Has the signature of LangGraph's reader. LangGraph's own tests run against this server with the real one, which needs a TypeScript of its own. */
const reader = (body: string) => ({
  'src/node_modules/@langchain/langgraph-api/package.json':
    '{ "type": "module", "exports": { "./schema": "./schema.js" } }',
  'src/node_modules/@langchain/langgraph-api/schema.js': `
import { appendFileSync, readFileSync } from 'node:fs';
export async function getStaticGraphSchema({ sourceFile, exportSymbol }) {
  appendFileSync(sourceFile + '.reads', 'x');
  ${body}
}`,
});

const WHOLE = reader(`
  const [, key] = /Annotation<(\\w+)>/.exec(readFileSync(sourceFile, 'utf8'));
  const schema = (name) => ({ type: 'object', properties: { [name]: {} } });
  return {
    [exportSymbol]: { state: schema(key), input: schema(key), output: undefined, config: schema('tone') },
    [exportSymbol + '|part']: { state: schema('inner') },
  };`);

const GRAPH = 'export const state = Annotation<topic>();';

async function withProject<Value>(
  files: Readonly<Record<string, string>>,
  work: (directory: string) => Promise<Value>,
): Promise<Value> {
  const project = await makeGraphProject(files);
  try {
    return await work(project.directory);
  } finally {
    await project.remove();
  }
}

describe('TypedSchemas', () => {
  it("reads the schemas of a graph and of its subgraphs once, with its project's own reader", async () => {
    await withProject({ ...WHOLE, 'src/graph.ts': GRAPH }, async (directory) => {
      const typed = new TypedSchemas(`${join(directory, 'src/graph.ts')}:graph`);
      const schema = (name: string) => ({ type: 'object', properties: { [name]: {} } });
      expect(await Promise.all([typed.read(''), typed.read('part'), typed.read('other')])).toEqual([
        { state: schema('topic'), input: schema('topic'), context: schema('tone') },
        { state: schema('inner') },
        undefined,
      ]);
      await typed.read('');
      expect(await readFile(join(directory, 'src/graph.ts.reads'), 'utf8')).toBe('x');
    });
  });

  it('knows nothing where no reader is installed, and of JavaScript', async () => {
    await withProject({ ...WHOLE, 'graph.ts': GRAPH, 'src/graph.js': GRAPH }, async (directory) => {
      for (const file of ['graph.ts', 'src/graph.js'])
        expect(await new TypedSchemas(join(directory, file)).read('')).toBeUndefined();
    });
  });

  it('knows nothing where the reader fails, and reads the next module all the same', async () => {
    const failing = reader(`throw new Error('The types are broken.');`);
    await withProject({ ...failing, 'src/graph.ts': GRAPH }, async (directory) => {
      expect(await new TypedSchemas(join(directory, 'src/graph.ts')).read('')).toBeUndefined();
    });
    await withProject({ ...WHOLE, 'src/graph.ts': GRAPH }, async (directory) => {
      expect(await new TypedSchemas(join(directory, 'src/graph.ts')).read('')).toBeDefined();
    });
  });
});
