import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';

const run = promisify(execFile);
const RUNNER = fileURLToPath(new URL('./run.mjs', import.meta.url));
const { adviseOnNode } = (await import(new URL('./node-version.mjs', import.meta.url).href)) as {
  adviseOnNode: (running: string, needed?: string) => string | undefined;
};

describe('check of the Node version', () => {
  it.each(['20.20.2', '22.17.1', '23.11.0', '24.14.1', '9.0.0'])(
    'advises in one sentence what to do on Node %s',
    (version) => {
      expect(adviseOnNode(version, '^22.18 || >=24.15')).toBe(
        `The tests need Node ^22.18 || >=24.15, and this is Node ${version}: run \`npm test\`, which brings its own, or install Node 24.15.`,
      );
    },
  );

  it.each(['22.18.0', '22.23.3', '24.15.0', '24.21.0', '26.0.0'])(
    'returns no advice on Node %s',
    (version) => {
      expect(adviseOnNode(version, '^22.18 || >=24.15')).toBeUndefined();
    },
  );

  it('runs before any test, against the version range of the manifest', async () => {
    const options = [
      '--import',
      'data:text/javascript,Object.defineProperty(process.versions,"node",{value:"20.1.0"})',
    ];
    const failed = await run(process.execPath, [...options, RUNNER, '--version']).catch(
      (error: unknown) => error,
    );
    expect(failed).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^The tests need Node \^22\.\d+ \|\| >=24\.\d+, and.*\n$/),
    });
  });
});
