import { mkdir, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { KnowledgeSearchTool } from './knowledge-search.tool.js';

describe('KnowledgeSearchTool', () => {
  let directory: string;
  let tool: KnowledgeSearchTool;

  async function write(name: string, text: string): Promise<void> {
    await mkdir(join(directory, name, '..'), { recursive: true });
    await writeFile(join(directory, name), text);
  }

  async function found(query: string, maxResults = 5): Promise<string[]> {
    const { results } = await tool.search({ query, maxResults });
    return results.map(({ file, heading }) => `${file}#${heading}`);
  }

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'knowledge-'));
    tool = new KnowledgeSearchTool({ knowledgeDirectory: directory });
    await write(
      'proxies.md',
      '# Proxies\nPut nginx before it.\n## Buffering\nTurn buffering off: proxy_buffering off.',
    );
    await write('guides/tools.md', '# Tools\nA tool streams its progress. Nginx is not needed.');
  });

  afterEach(async () => {
    tool.onApplicationShutdown();
    await rm(directory, { recursive: true });
  });

  it('returns the best section of the knowledge folder first, with its file, heading and text', async () => {
    const { results } = await tool.search({ query: 'How do I turn off buffering?', maxResults: 5 });
    expect(results[0]).toEqual({
      file: 'proxies.md',
      heading: 'Proxies > Buffering',
      excerpt: 'Turn buffering off: proxy_buffering off.',
    });
  });

  it('finds other forms of a word, whatever its case and accents', async () => {
    await write('names.md', '# Café\nÜbersetzungen for all');
    expect(await found('STREAMING tools')).toContain('guides/tools.md#Tools');
    expect(await found('cafe ubersetzungen')).toEqual(['names.md#Café']);
  });

  it('returns as many results as asked for', async () => {
    expect(await found('nginx')).toHaveLength(2);
    expect(await found('nginx', 1)).toHaveLength(1);
  });

  it('returns the matching part of a long section', async () => {
    await write('long.md', `# Long\n${'filler '.repeat(2_000)} needle ${'filler '.repeat(2_000)}`);
    const { results } = await tool.search({ query: 'needle', maxResults: 1 });
    expect(results[0]?.excerpt).toContain('needle');
    expect(results[0]?.excerpt.length).toBeLessThan(1_500);
  });

  it('finds new and changed files and no deleted ones', async () => {
    expect(await found('zebra')).toEqual([]);
    await write('zebra.md', 'zebra one');
    expect(await found('zebra')).toEqual(['zebra.md#']);
    await write('zebra.md', '# Stripes\nzebra one, zebra two');
    expect(await found('zebra')).toEqual(['zebra.md#Stripes']);
    await rm(join(directory, 'zebra.md'));
    expect(await found('zebra')).toEqual([]);
  });

  it('notices a change that keeps the length of a file', async () => {
    await write('a.md', 'zebra');
    expect(await found('zebra')).toHaveLength(1);
    await write('a.md', 'horse');
    await utimes(join(directory, 'a.md'), new Date(), new Date(Date.now() + 5_000));
    expect(await found('zebra')).toEqual([]);
  });

  it('serves concurrent knowledge searches', async () => {
    const answers = await Promise.all([found('nginx'), found('buffering'), found('progress')]);
    expect(answers.map((files) => files.length)).toEqual([2, 1, 1]);
  });

  it.each([
    '"',
    "'",
    '*',
    '(',
    ')',
    'AND',
    'OR NOT',
    'NEAR(a b, 2)',
    'file:proxies',
    'a" OR "b',
    '-nginx',
    '^a',
    'a + b',
    '\u0000',
    '{file}: x',
    '; DROP TABLE sections',
    '🦓',
  ])('takes %p as words and not as syntax', async (query) => {
    await expect(found(query)).resolves.toEqual(expect.any(Array));
    expect(await found('nginx')).toHaveLength(2);
  });

  it('reads no hidden, linked or foreign files of the knowledge folder', async () => {
    const outside = await mkdtemp(join(tmpdir(), 'outside-'));
    await writeFile(join(outside, 'secret.md'), 'unicorn');
    await symlink(join(outside, 'secret.md'), join(directory, 'link.md'));
    await symlink(outside, join(directory, 'linked'));
    await write('.git/x.md', 'unicorn');
    await write('node_modules/x/README.md', 'unicorn');
    await write('notes.txt', 'unicorn');
    expect(await found('unicorn')).toEqual([]);
    await rm(outside, { recursive: true });
  });

  it('names the setting but not the path when the knowledge folder does not exist', async () => {
    const lost = new KnowledgeSearchTool({ knowledgeDirectory: join(directory, 'absent') });
    await expect(lost.search({ query: 'x', maxResults: 1 })).rejects.toMatchObject({
      code: 'TOOL_NOT_CONFIGURED',
      message: expect.not.stringContaining(directory),
    });
    lost.onApplicationShutdown();
  });
});
