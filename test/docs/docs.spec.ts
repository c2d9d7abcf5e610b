import { existsSync } from 'node:fs';
import { glob, readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { ERROR_CODES, type ErrorCode } from '../../src/errors.js';
import { getStatus } from '../../src/http/problem.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string) => readFile(join(ROOT, path), 'utf8');

/** Finds the relative targets of the links of a page. */
function targetsIn(page: string): string[] {
  const prose = page.replaceAll(/```[^]*?```|`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\((?<target>[^)\s]+)\)/g)]
    .map(({ groups }) => groups!['target']!)
    .filter((target) => !/^(?:[a-z]+:|#)/.test(target))
    .map((target) => target.replace(/#.*$/, ''));
}

async function readPages(): Promise<Map<string, string>> {
  const pages = new Map<string, string>();
  for (const pattern of ['*.md', 'docs/**/*.md'])
    for await (const path of glob(pattern, { cwd: ROOT })) pages.set(path, await read(path));
  return pages;
}

describe('docs', () => {
  it('contains no relative link to a missing file in any page of the docs', async () => {
    const pages = await readPages();
    expect(pages.size).toBeGreaterThan(30);
    const broken = [...pages].flatMap(([path, page]) =>
      targetsIn(page)
        .filter((target) => !existsSync(join(ROOT, dirname(path), target)))
        .map((target) => `${path}: ${target}`),
    );
    expect(broken).toEqual([]);
  });

  it('lists every page of the docs in docs/README.md', async () => {
    const targets = targetsIn(await read('docs/README.md'));
    const pages = [...(await readPages()).keys()].filter(
      (path) => path.startsWith('docs/') && !/^docs\/(README|decisions\/\d.*)\.md$/.test(path),
    );
    expect(pages.length).toBeGreaterThan(20);
    expect(pages.filter((path) => !targets.includes(path.slice('docs/'.length)))).toEqual([]);
  });

  it('lists every decision in docs/decisions/README.md by its title, with a status and a date', async () => {
    const files = (await readdir(join(ROOT, 'docs/decisions'))).filter((name) => /^\d/.test(name)).sort();
    const titles = await Promise.all(
      files.map(async (name) => {
        const title = /^# (.+)\n/.exec(await read(`docs/decisions/${name}`))?.[1];
        return `[${name.slice(0, 4)}](${name}) | ${title}`;
      }),
    );
    const rows = [
      ...(await read('docs/decisions/README.md')).matchAll(
        /^\| (\[\d{4}\].+?) \| (?:in force|replaced by \d{4}) \| \d{4}-\d\d-\d\d \|$/gm,
      ),
    ];
    expect(rows.map(([, row]) => row)).toEqual(titles);
    expect(new Set(files.map((name) => name.slice(0, 4))).size).toBe(files.length);
  });

  it('shows an example test in the testing guide that is also run as a spec', async () => {
    const guide = await read('docs/guides/testing.md');
    const shown = [...guide.matchAll(/```typescript\n([^]*?)```/g)].map(([, code]) => code!);
    expect(shown).toHaveLength(1);
    expect(await read('test/docs/testing-guide.spec.ts')).toContain(shown[0]);
  });
});

describe('page of error codes', () => {
  it('lists every error code in the reference page with its meaning, its status and a remedy', async () => {
    const page = await read('docs/reference/errors.md');
    const rows = [...page.matchAll(/^\| `([A-Z_]+)` \| (\d*) \| ([^|]+) \| ([^|]+) \|$/gm)];
    expect(rows.map(([, code, , meaning]) => [code, meaning])).toEqual(Object.entries(ERROR_CODES));
    for (const [, code, status, , remedy] of rows) {
      const known = getStatus(code as ErrorCode);
      expect({ code, status }).toEqual({
        code,
        status: known === 500 && code !== 'INTERNAL' ? '' : String(known),
      });
      expect(remedy).toMatch(/^[A-Z][^]{15,}\.$/);
    }
  });

  it('lists only error codes that the source code uses', async () => {
    const sources = [];
    for await (const path of glob('src/**/*.ts', { cwd: ROOT }))
      if (!/\.(?:spec|testing)\.ts$|^src\/(?:errors|testing\/.*|http\/problem)\.ts$/.test(path))
        sources.push(await read(path));
    const source = sources.join('\n').replaceAll(/^\s*(?:\*|\/\/|\/\*).*$/gm, '');
    const unused = Object.keys(ERROR_CODES).filter((code) => !new RegExp(`['.]${code}\\b`).test(source));
    expect(unused).toEqual([]);
  });
});
