import { execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { LLMock } from '@copilotkit/aimock';
import { NEST, NODE_22, PACKAGES } from './packages.mjs';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
export const QUESTION = 'What is the price of a lamp?';
export const ANSWER = 'A lamp costs 40 euros, and it is worth it.';

const run = promisify(execFile);

/** A folder for hosts, the packed package, a server that answers as a provider, and the count of what passed. */
export class Workshop {
  passed = 0;
  failed = 0;
  #installed = new Map();

  static async open(tarball) {
    const workshop = new Workshop();
    workshop.root = await mkdtemp(join(tmpdir(), 'hosts-'));
    workshop.mock = new LLMock({ port: 0, logLevel: 'silent' });
    await workshop.mock.start();
    workshop.mock.on(
      { userMessage: /lamp/, hasToolResult: false },
      { toolCalls: [{ id: 'call_1', name: 'price', arguments: '{"item":"lamp"}' }] },
    );
    workshop.mock.on(
      { userMessage: /slowly/, hasToolResult: true },
      { content: ANSWER },
      { latency: 300, chunkSize: 4 },
    );
    workshop.mock.on({ userMessage: /lamp/, hasToolResult: true }, { content: ANSWER });
    workshop.tarball = tarball ?? (await pack(workshop.root));
    return workshop;
  }

  async close() {
    await this.mock.stop();
    await rm(this.root, { recursive: true, force: true });
  }

  /** Runs one trial, and says whether it passed. `task` may return words for that line. */
  async try(name, task) {
    const from = performance.now();
    try {
      const detail = await task();
      this.passed += 1;
      const seconds = ((performance.now() - from) / 1000).toFixed(0);
      console.log(`ok      ${name}${detail ? ` (${detail})` : ''}, ${seconds} s`);
    } catch (error) {
      this.failed += 1;
      console.error(`failed  ${name}: ${error.stdout || ''}${error.stderr || ''}${error.stack}`);
    }
  }

  async makeFolder(name) {
    const folder = join(this.root, name);
    await mkdir(folder, { recursive: true });
    return folder;
  }

  /** One installation for each major, above the folders of its hosts: what npm finds is what a host would have. */
  install(major) {
    const known = this.#installed.get(major) ?? this.#install(major);
    this.#installed.set(major, known);
    return known;
  }

  async #install(major) {
    const folder = await this.makeFolder(String(major));
    await writeFile(join(folder, 'package.json'), '{ "name": "hosts", "private": true }');
    const { nest, typescript } = NEST[major];
    const packages = Object.entries(nest).map(([name, version]) => `@nestjs/${name}@${version}`);
    const all = [this.tarball, ...packages, `typescript@${typescript}`, ...PACKAGES, `${NODE_22}@22.23.3`];
    // Without --force or --legacy-peer-deps: the peers have to fit.
    await this.run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', ...all], {
      cwd: folder,
    });
    return folder;
  }

  /**
   * Runs a program to its end. Rejects, with what it wrote, if it fails. With `env` it has a host's environment; without, as an
   * installer, this process's.
   */
  run(program, parameters, { env, ...options } = {}) {
    return run(program, parameters, {
      maxBuffer: 64 * 1024 ** 2,
      env: env ? { ...this.environment(), ...env } : process.env,
      ...options,
    });
  }

  /** Starts a server, and resolves with its process and its address when it listens. */
  async serve(program, parameters, { env, cwd }) {
    const server = spawn(program, parameters, {
      cwd,
      env: { ...this.environment(), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stderr = '';
    server.stderr.on('data', (text) => (stderr += text));
    for await (const line of createInterface({ input: server.stdout })) {
      const [, url] = /\bat (http:\S+)/.exec(line) ?? [];
      if (!url) continue;
      server.stdout.resume();
      return { server, url };
    }
    throw new Error(`It ended before it listened.\n${stderr}`);
  }

  /** Variables of a host: none of this process, so that nothing is there by accident. */
  environment() {
    const { PATH, HOME } = process.env;
    return {
      PATH,
      HOME,
      NO_COLOR: '1',
      OPENAI_API_KEY: 'sk-of-nobody',
      OPENAI_BASE_URL: `${this.mock.url}/v1`,
    };
  }

  /** A file of a package that is installed for this major. */
  binary(nest, path) {
    return join(this.root, String(nest), 'node_modules', path);
  }

  findNode(nest, version) {
    return version === 22 ? this.binary(nest, `${NODE_22}/bin/node`) : process.execPath;
  }
}

/** Asks the question of the mock in a host. Returns the reply when its stream has ended, and its frames. */
export async function ask(url) {
  const response = await fetch(`${url}/assistant`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ message: QUESTION }),
  });
  const frames = framesIn(await response.text());
  const text = joinText(frames);
  if (text !== ANSWER) throw new Error(`It said: ${text}`);
  if (!frames.some(({ event, data }) => event === 'tool-end' && data.output.price === 40))
    throw new Error('No tool was called.');
  return { response, frames };
}

export function joinText(frames) {
  return frames
    .filter(({ event }) => event === 'text-delta')
    .map(({ data }) => data.delta)
    .join('');
}

export function framesIn(text) {
  return text
    .split('\n\n')
    .map((frame) => Object.fromEntries(frame.split('\n').map((line) => line.split(/: (.*)/s, 2))))
    .filter(({ data }) => data)
    .map(({ id, event, data }) => ({ id, event, data: JSON.parse(data) }));
}

async function pack(root) {
  await run('npm', ['pack', '--pack-destination', root], { cwd: ROOT, maxBuffer: 64 * 1024 ** 2 });
  const name = (await readdir(root)).find((file) => file.endsWith('.tgz'));
  return join(root, name);
}
