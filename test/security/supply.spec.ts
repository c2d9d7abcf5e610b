import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** npm reads the whole tree first. */
const SLOW_MS = 120_000;

describe('supply chain documents', () => {
  it('publishes current licence notices, with the licence of world-countries', async () => {
    await run(process.execPath, ['scripts/notices.mjs', '--check'], { cwd: ROOT });
    const notices = await readFile(join(ROOT, 'NOTICES.md'), 'utf8');
    expect(notices).toMatch(/## world-countries[\s\S]*Open Database License \(ODbL\)/);
    expect(notices).toMatch(/\| world-countries \| [\d.]+ \| ODbL-1\.0 \|/);
    const manifest = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
      files: string[];
    };
    expect(manifest.files).toContain('NOTICES.md');
    for (const [name, version] of Object.entries(manifest.dependencies)) {
      expect(notices).toContain(`| ${name} | ${version} |`);
    }
  });

  it(
    'lists the dependencies in CycloneDX with their licences',
    async () => {
      const { stdout } = await run('npm', ['run', '--silent', 'sbom'], {
        cwd: ROOT,
        maxBuffer: 64 * 1024 ** 2,
      });
      const { bomFormat, components } = JSON.parse(stdout) as {
        bomFormat: string;
        components: { name: string; licenses?: object[] }[];
      };
      expect(bomFormat).toBe('CycloneDX');
      expect(components).toContainEqual(
        expect.objectContaining({ name: 'helmet', licenses: [{ license: { id: 'MIT' } }] }),
      );
    },
    SLOW_MS,
  );
});
