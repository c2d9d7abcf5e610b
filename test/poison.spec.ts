import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { childEnvironment } from './support/child-environment.js';
import { postJson } from './support/post-json.js';
import { until } from './support/until.js';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const GRAPH = resolve('test/fixtures/poison-graph.mjs');

interface Life {
  readonly origin: string;
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  /** Its log so far. */
  readonly lines: Record<string, unknown>[];
  readonly exited: Promise<number | null>;
}

interface Frame {
  readonly type: string;
  readonly outcome?: string;
  readonly error?: { readonly code: string; readonly message: string };
}

let directory: string;
const lives: Life[] = [];

beforeEach(() => {
  if (!existsSync(MAIN)) throw new Error('There is no build. Run `npm run build` first, or `npm test`.');
  directory = mkdtempSync(join(tmpdir(), 'poison-'));
});

afterEach(async () => {
  for (const { child, exited } of lives.splice(0)) {
    child.kill('SIGKILL');
    await exited;
  }
  rmSync(directory, { recursive: true, force: true });
});

/** The built app, on the data of the life before. Undefined when it dies before it listens. */
async function start(env: Record<string, string> = {}): Promise<Life | undefined> {
  const child = spawn(process.execPath, ['--max-old-space-size=128', MAIN], {
    cwd: directory,
    env: {
      ...childEnvironment(),
      DATA_DIR: directory,
      PORT: '0',
      AGENTS: `poison=${GRAPH}#graph`,
      LEDGER: join(directory, 'ledger'),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stderr.resume();
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  const lines: Record<string, unknown>[] = [];
  const listening = Promise.withResolvers<string>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    const entry = JSON.parse(line) as Record<string, unknown>;
    lines.push(entry);
    if (typeof entry['url'] === 'string') listening.resolve(entry['url']);
  });
  const url = await Promise.race([listening.promise, exited.then(() => undefined)]);
  if (url === undefined) return undefined;
  const life = { origin: new URL(url).origin, child, lines, exited };
  lives.push(life);
  return life;
}

async function started(env?: Record<string, string>): Promise<Life> {
  const life = await start(env);
  if (!life) throw new Error('It did not start.');
  return life;
}

async function ask({ origin }: Life, message: string, threadId?: string) {
  const response = await postJson(`${origin}/api/chat/runs`, {
    message,
    agent: 'poison',
    ...(threadId !== undefined && { threadId }),
  });
  return (await response.json()) as { runId: string; threadId: string };
}

/** All that the run has said, once it has ended; undefined when the connection breaks before. */
async function readEvents({ origin }: Life, runId: string): Promise<Frame[] | undefined> {
  try {
    const response = await fetch(`${origin}/api/chat/runs/${runId}/events`);
    const text = await response.text();
    const frames = text
      .split('\n')
      .filter((line) => line.startsWith('data: '))
      .map((line) => JSON.parse(line.slice(6)) as Frame);
    return frames.at(-1)?.type === 'end' ? frames : undefined;
  } catch {
    return undefined;
  }
}

/** Starts the app anew as often as it dies, until the run has ended. */
async function startsUntilEnded(runId: string, env?: Record<string, string>) {
  for (let starts = 1; starts <= 10; starts += 1) {
    const life = await start(env);
    const events = life && (await readEvents(life, runId));
    if (life && events) return { starts, life, events };
  }
  throw new Error('The run did not end in ten starts.');
}

const ledger = () => readFileSync(join(directory, 'ledger'), 'utf8').trim().split('\n');

describe('run that kills its process', () => {
  it.each(['timer', 'exit', 'memory'])(
    'fails a run after it has killed three processes, and answers the next message of its thread: %s',
    async (way) => {
      const first = await started();
      const { runId, threadId } = await ask(first, way);
      expect(await first.exited).not.toBe(0);

      const { starts, life, events } = await startsUntilEnded(runId);
      expect(starts).toBeLessThanOrEqual(4);
      expect(events.at(-1)).toMatchObject({ outcome: 'failed', error: { code: 'RUN_POISONED' } });
      expect(ledger()).toEqual([way, way, way]);

      const next = await ask(life, 'fine', threadId);
      expect((await readEvents(life, next.runId))?.at(-1)).toMatchObject({ outcome: 'completed' });
    },
    120_000,
  );

  it('completes a run beside one that kills its process', async () => {
    const first = await started();
    const beside = await ask(first, 'slow');
    const { runId } = await ask(first, 'exit');
    await first.exited;
    const { life, events } = await startsUntilEnded(runId);
    expect(events.at(-1)).toMatchObject({ error: { code: 'RUN_POISONED' } });
    expect((await readEvents(life, beside.runId))?.at(-1)).toMatchObject({ outcome: 'completed' });
  });

  it('fails a run after it has killed one process when RUN_MAX_OWNERS is 1', async () => {
    const first = await started();
    const { runId } = await ask(first, 'exit');
    await first.exited;
    const { starts } = await startsUntilEnded(runId, { RUN_MAX_OWNERS: '1' });
    expect(starts).toBe(1);
    expect(ledger()).toEqual(['exit']);
  });
});

describe('unhandled rejection in a run', () => {
  it('fails only the run with an unhandled rejection, hides its message, and keeps the process alive', async () => {
    const life = await started();
    const beside = await ask(life, 'slow');
    const { runId, threadId } = await ask(life, 'rejection');
    const events = await readEvents(life, runId);
    expect(events?.at(-1)).toMatchObject({ outcome: 'failed', error: { code: 'RUN_FAILED' } });
    expect(JSON.stringify(events)).not.toContain('secret');
    expect((await readEvents(life, beside.runId))?.at(-1)).toMatchObject({ outcome: 'completed' });
    const next = await ask(life, 'fine', threadId);
    expect((await readEvents(life, next.runId))?.at(-1)).toMatchObject({ outcome: 'completed' });
    expect(life.lines).toContainEqual(expect.objectContaining({ runId, level: 'error' }));
    expect(life.child.exitCode).toBeNull();
  });
});

describe('run that blocks the event loop longer than its lease', () => {
  it('executes a run once that blocks the event loop past its lease, and names it in the log', async () => {
    const life = await started();
    const beside = await ask(life, 'slow');
    const { runId } = await ask(life, 'block');
    for (const id of [runId, beside.runId]) {
      const types = (await readEvents(life, id))?.map(({ type }) => type);
      expect(types?.at(-1)).toBe('end');
      expect(types).not.toContain('run-resume');
      expect(types).not.toContain('step-reset');
    }
    expect(ledger()).toEqual(['slow', 'block']);
    const blocked = () => life.lines.find(({ blockedMs }) => blockedMs !== undefined);
    await until(() => blocked() !== undefined);
    expect(blocked()?.['runs']).toContainEqual(expect.objectContaining({ runId, steps: ['act'] }));
  });
});
