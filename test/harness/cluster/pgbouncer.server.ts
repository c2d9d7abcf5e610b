import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort } from './free-port.js';
import type { PostgresServer } from './postgres.server.js';

/** A real PgBouncer before a database, in transaction mode: no session of a client outlives its transaction. */
export class PgBouncerServer {
  private constructor(
    private readonly directory: string,
    private readonly port: number,
    private readonly running: ChildProcess,
  ) {}

  /** True if there is a `pgbouncer` on the PATH. */
  static get isInstalled(): boolean {
    return spawnSync('pgbouncer', ['--version']).status === 0;
  }

  static async start(database: PostgresServer): Promise<PgBouncerServer> {
    const directory = await mkdtemp(join(tmpdir(), 'agent-stream-pgbouncer-'));
    const port = await freePort();
    const file = join(directory, 'pgbouncer.ini');
    await writeFile(file, settings(database.port, port));
    await chmod(directory, 0o755);
    return new PgBouncerServer(directory, port, await launch(file));
  }

  /** The database, through the pooler. */
  get url(): string {
    return `postgres://postgres:secret@127.0.0.1:${this.port}/postgres`;
  }

  async stop(): Promise<void> {
    const exited = once(this.running, 'exit');
    this.running.kill('SIGKILL');
    await exited;
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** Few connections to the database, so that clients really share them. */
function settings(databasePort: number, port: number): string {
  return `
[databases]
* = host=127.0.0.1 port=${databasePort} user=postgres password=secret

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 4
max_client_conn = 500
${process.getuid?.() === 0 ? '; It refuses to run as root.\nuser = nobody' : ''}
`;
}

async function launch(file: string): Promise<ChildProcess> {
  const child = spawn('pgbouncer', [file], { stdio: ['ignore', 'ignore', 'pipe'] });
  const said: string[] = [];
  for await (const line of createInterface({ input: child.stderr })) {
    said.push(line);
    if (!line.includes('process up')) continue;
    // What it goes on to say nobody reads, and a full pipe would stop it.
    child.stderr.resume();
    return child;
  }
  throw new Error(`pgbouncer did not start:\n${said.join('\n')}`);
}
