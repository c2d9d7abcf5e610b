import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

const PROGRAM = new URL('./pgvector.process.mjs', import.meta.url);

/** A PostgreSQL that has the extension pgvector, which the embedded server of the other tests does not. It serves one connection at a time. */
export class PgvectorServer {
  private constructor(
    private readonly running: ChildProcess,
    readonly url: string,
  ) {}

  static async start(): Promise<PgvectorServer> {
    const running = fork(PROGRAM, { execArgv: [] });
    const [said] = (await once(running, 'message')) as [{ readonly port: number }];
    return new PgvectorServer(running, `postgres://postgres@127.0.0.1:${said.port}/postgres`);
  }

  async stop(): Promise<void> {
    const exited = once(this.running, 'exit');
    this.running.disconnect();
    await exited;
  }
}
