import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort } from './free-port.js';

/** A real Redis of its own. It can be killed, and started again: then it has forgotten everything. */
export class RedisServer {
  private constructor(
    private readonly directory: string,
    readonly port: number,
    private running: ChildProcess,
  ) {}

  /** True if there is a `redis-server` on the PATH. */
  static get isInstalled(): boolean {
    return spawnSync('redis-server', ['--version']).status === 0;
  }

  static async start(): Promise<RedisServer> {
    const directory = await mkdtemp(join(tmpdir(), 'agent-stream-redis-'));
    const port = await freePort();
    return new RedisServer(directory, port, await launch(directory, port));
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  async kill(): Promise<void> {
    if (this.running.exitCode !== null || this.running.signalCode !== null) return;
    const exited = once(this.running, 'exit');
    this.running.kill('SIGKILL');
    await exited;
  }

  async restart(): Promise<void> {
    this.running = await launch(this.directory, this.port);
  }

  async stop(): Promise<void> {
    await this.kill();
    await rm(this.directory, { recursive: true, force: true });
  }
}

async function launch(directory: string, port: number): Promise<ChildProcess> {
  const flags = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--dir',
    directory,
    '--save',
    '',
    '--appendonly',
    'no',
  ];
  const child = spawn('redis-server', flags, { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.includes('Ready to accept connections')) return child;
  }
  throw new Error('redis-server did not start.');
}
