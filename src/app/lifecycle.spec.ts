import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { childEnvironment } from '../../test/support/child-environment.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const MAIN = join(ROOT, 'dist/main.js');

type Started = ChildProcessByStdio<null, Readable, Readable>;
const processes: Started[] = [];

beforeAll(() => {
  if (!existsSync(MAIN))
    throw new Error('Run npm run build first (npm test does): this starts the built app.');
});

afterEach(() => {
  for (const started of processes.splice(0)) started.kill('SIGKILL');
});

/** The built app as a process, in a directory of its own, with nothing in its environment but `env`. */
function start(env: Record<string, string>): Started {
  const DATA_DIR = mkdtempSync(join(tmpdir(), 'main-'));
  const started = spawn(process.execPath, [MAIN], {
    cwd: DATA_DIR,
    env: { ...childEnvironment(), DATA_DIR, PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  processes.push(started);
  return started;
}

async function failedStart(env: Record<string, string>) {
  const started = start(env);
  const [[code], stderr] = await Promise.all([once(started, 'exit'), text(started.stderr)]);
  return { code: code as number, stderr };
}

/** The first log line that says where it listens. */
async function listening(started: Started): Promise<Record<string, unknown>> {
  for await (const line of createInterface({ input: started.stdout })) {
    const entry = JSON.parse(line) as Record<string, unknown>;
    if (typeof entry['url'] === 'string') return entry;
  }
  throw new Error(`It did not start: ${await text(started.stderr)}`);
}

describe('a failed start of the app', () => {
  it('prints why an agent cannot be loaded', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'faulty-')), 'faulty.ts');
    writeFileSync(file, "throw new Error('no database');");
    const { code, stderr } = await failedStart({ AGENTS: `faulty=${file}` });
    expect(code).toBe(78);
    expect(stderr).toContain('threw an error while it was loaded.');
    expect(stderr).toContain('Cause: Error: no database');
  });

  it('lists all wrong settings and exits with 78', async () => {
    const { code, stderr } = await failedStart({
      PORT: 'eighty',
      LOG_LEVEL: 'loud',
      AUTH_JWT_SECRET: 'hunter2',
    });
    expect(code).toBe(78);
    expect(stderr.split('\n')).toEqual([
      'The settings are not usable:',
      '  PORT=eighty: write a whole number from 0 to 65535.',
      expect.stringMatching(/^ {2}AUTH_JWT_SECRET: write at least 32/),
      expect.stringMatching(/^ {2}LOG_LEVEL=loud: write one of/),
      '',
    ]);
  });

  it('refuses to listen on a public address without authentication', async () => {
    const { code, stderr } = await failedStart({ HOST: '0.0.0.0' });
    expect(code).toBe(78);
    expect(stderr).toContain('HOST=0.0.0.0: without authentication it may listen on loopback only');
  });

  it('says which port is taken when the app cannot start', async () => {
    const occupant = createServer().listen(0, '127.0.0.1');
    await once(occupant, 'listening');
    const { port } = occupant.address() as { port: number };
    try {
      const { code, stderr } = await failedStart({ PORT: String(port) });
      expect(code).toBe(1);
      expect(stderr).toBe(
        `Port ${port} on 127.0.0.1 is in use. Stop what listens there, or set PORT to another one.\n`,
      );
    } finally {
      occupant.close();
    }
  });
});

describe('the running app', () => {
  it("logs the app's address and its main settings in one line", async () => {
    const started = start({});
    const entry = await listening(started);
    expect(entry).toMatchObject({ level: 'info', model: 'demo', auth: 'none', tls: false });
    expect((await fetch(`${String(entry['url'])}/health/ready`)).status).toBe(200);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('exits the app with 0 on %s', async (signal) => {
    const started = start({});
    await listening(started);
    started.kill(signal);
    expect(await once(started, 'exit')).toEqual([0, null]);
  });

  it('stops the app when the `npm start` that started it gets SIGTERM', async () => {
    const DATA_DIR = mkdtempSync(join(tmpdir(), 'main-'));
    // Without its build, which is there.
    const npm = spawn('npm', ['run', 'start', '--silent', '--ignore-scripts'], {
      cwd: ROOT,
      env: { ...process.env, DATA_DIR, PORT: '0', NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    processes.push(npm);
    const { url } = await listening(npm);
    npm.kill('SIGTERM');
    await once(npm, 'exit');
    // Nothing of it has stayed: what it has open would keep its output open.
    npm.stdout.resume();
    await once(npm, 'close');
    await expect(fetch(`${String(url)}/health/live`)).rejects.toThrow('fetch failed');
  });

  it('exits the app while a stream is open, and ends the stream', async () => {
    const started = start({});
    const { url } = await listening(started);
    const response = await fetch(`${String(url)}/api/chat`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ message: 'Tell me about yourself at length.' }),
    });
    const exit = once(started, 'exit');
    started.kill('SIGTERM');
    expect(await response.text()).toContain('event: ready');
    expect(await exit).toEqual([0, null]);
  });
});
