import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from '@jest/globals';
import { FaultProxy } from '../../src/testing/fault.proxy.js';
import { appServers } from '../support/app.server.js';

const CLIENTS = fileURLToPath(new URL('../../examples/clients/', import.meta.url));
const KEY = 'a-key-of-some-length';
/** A run at the speed of people, so that it can be cut and stopped before it ends. */
const SETTINGS = { DEMO_PACE_MS: '28', AUTH_API_KEYS: `${KEY}:ann@acme` };
const SLOW_MS = 120_000;

/** The output of a script. */
interface Script {
  readonly child: ChildProcess;
  readonly lines: string[];
  /** Resolves with its exit code. */
  readonly over: Promise<number | null>;
}

/** The numbers of the run's events among frames; `ready` has that of the reader's cursor. */
function listSeqs(lines: readonly string[]): number[] {
  const frames = lines.join('\n').split('\n\n');
  return frames
    .filter((frame) => !frame.includes('event: ready'))
    .flatMap((frame) => /^id: \w+\.\w+\.(\d+)$/m.exec(frame)?.[1] ?? [])
    .map(Number);
}

describe('scripts of examples/clients', () => {
  const serve = appServers();
  const running: Script[] = [];
  const proxies: FaultProxy[] = [];

  afterEach(async () => {
    for (const { child, over } of running.splice(0)) {
      child.kill('SIGKILL');
      await over;
    }
    await Promise.all(proxies.splice(0).map((proxy) => proxy.close()));
  });

  function run(
    command: string,
    file: string,
    env: Record<string, string>,
    onLine?: (line: string) => void,
  ): Script {
    const child = spawn(command, [file], {
      cwd: CLIENTS,
      env: { PATH: process.env['PATH'], NO_COLOR: '1', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const lines: string[] = [];
    for (const output of [child.stdout, child.stderr]) {
      createInterface({ input: output }).on('line', (line) => {
        lines.push(line);
        onLine?.(line);
      });
    }
    const over = once(child, 'close').then(([code]) => code as number | null);
    const script = { child, lines, over };
    running.push(script);
    return script;
  }

  it(
    'prints every event once in curl.sh although the stream is cut, and cancels a run',
    async () => {
      const { origin } = await serve(SETTINGS);
      const { lines, over } = run('bash', 'curl.sh', { SERVER: origin, TOKEN: KEY });
      expect([await over, lines]).toEqual([0, lines]);
      const cut = lines.findIndex((line) => line.startsWith('# cut'));
      const behind = lines[cut]?.split(' ').at(-1);
      const before = listSeqs(lines.slice(0, lines.indexOf(`id: ${behind}`) + 1));
      const seqs = [...before, ...listSeqs(lines.slice(cut))];
      expect(before.length).toBeGreaterThan(0);
      expect(seqs).toEqual(seqs.map((_, index) => index + 1));
      expect(lines.slice(cut)).toContain('event: end');
      expect(lines.at(-1)).toContain('"cancelRequested":true');
    },
    SLOW_MS,
  );

  it(
    'prints every event once in node.mjs although both of its streams are cut',
    async () => {
      const { port } = new URL((await serve(SETTINGS)).origin);
      const proxy = await FaultProxy.listen({ target: () => Number(port) });
      proxies.push(proxy);
      const cutAt = [/^live: .* [1-9]\d* characters/, / text-delta /];
      const { lines, over } = run(
        process.execPath,
        'node.mjs',
        { SERVER: proxy.origin, TOKEN: KEY },
        (line) => {
          if (!cutAt[0]?.test(line)) return;
          cutAt.shift();
          proxy.drop('reset');
        },
      );
      expect([await over, lines]).toEqual([0, lines]);
      expect(cutAt).toEqual([]);
      expect(lines.filter((line) => line.startsWith('reconnecting')).length).toBeGreaterThan(0);
      expect(lines.join('\n')).toContain('| Czechia | Prague |');

      const events = lines.slice(lines.indexOf('--- with fetch') + 1);
      const seqs = events.flatMap((line) => /^\w+\.\w+\.(\d+) (?!ready)/.exec(line)?.[1] ?? []).map(Number);
      expect(events.some((line) => line.startsWith('cut: '))).toBe(true);
      expect(seqs).toEqual(seqs.map((_, index) => index + 1));
      expect(events.at(-1)).toContain('"outcome":"completed"');
    },
    SLOW_MS,
  );

  it.each([
    ['curl.sh', 'bash', 'UNAUTHENTICATED'],
    ['node.mjs', process.execPath, 'ChatError'],
  ])('fails in %s with a message when the token is missing', async (file, command, complaint) => {
    const { origin } = await serve(SETTINGS);
    const { lines, over } = run(command, file, { SERVER: origin });
    expect(await over).not.toBe(0);
    expect(lines.join('\n')).toContain(complaint);
  });
});
