import { cp, mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { expect, it } from '@jest/globals';
import { childEnvironment } from '../support/child-environment.js';
import { EventStream } from '../support/event-stream.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** What the app reads beside its code. */
const FILES = ['docs', 'package.json', 'web'];

it('serves the standalone app with the packages of production alone, and names the tools that it leaves out', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'production-'));
  const { dependencies } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  // Code is where it is, and not where a link points to: only what is linked here can be imported by it.
  await cp(join(ROOT, 'dist'), join(folder, 'dist'), { recursive: true });
  for (const name of [...FILES, ...Object.keys(dependencies).map((each) => join('node_modules', each))]) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await symlink(join(ROOT, name), join(folder, name));
  }
  const child = spawn(process.execPath, ['dist/main.js'], {
    cwd: folder,
    env: { ...childEnvironment(), DATA_DIR: join(folder, 'data'), PORT: '0', DEMO_PACE_MS: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  try {
    const log: { readonly msg: string; readonly url?: string }[] = [];
    const url = await new Promise<string>((resolve, reject) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        log.push(JSON.parse(line));
        const said = log.at(-1)?.url;
        if (said !== undefined) resolve(said);
      });
      child.once('exit', () => reject(new Error(`It did not start: ${JSON.stringify(log)}`)));
    });
    const { origin } = new URL(url);
    const stream = await EventStream.open(`${origin}/api/chat`, {
      method: 'POST',
      body: { message: 'What time is it in Tokyo?' },
    });
    expect(await stream.closed()).toBe('end');
    expect(stream.events.at(-1)?.data).toMatchObject({ type: 'end', outcome: 'completed' });
    expect(stream.events.filter(({ event }) => event === 'tool-end')).toHaveLength(1);
    expect((await fetch(`${origin}/docs`)).status).toBe(200);
    for (const name of ['mathjs', 'world-countries'])
      expect(log.map(({ msg }) => msg)).toContainEqual(expect.stringContaining(`npm i ${name}`));
  } finally {
    child.kill('SIGTERM');
    await exited;
    await rm(folder, { recursive: true });
  }
});
