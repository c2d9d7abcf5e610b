import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { childEnvironment } from '../../support/child-environment.js';

const MAIN = fileURLToPath(new URL('../../../dist/main.js', import.meta.url));

/** The standalone app as its users start it, in a process of its own that can be killed. */
export class AppProcess {
  /** Every line that it has logged. */
  readonly log: Readonly<Record<string, unknown>>[] = [];
  private child: ChildProcess | undefined;
  private listening: number | undefined;

  constructor(private readonly settings: Readonly<Record<string, string>>) {}

  /** Undefined while it does not listen. */
  get port(): number | undefined {
    return this.listening;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.listening}`;
  }

  /** Resolves once it listens. @throws Error with what it said if it has ended before */
  async start(): Promise<void> {
    const env = { ...childEnvironment(), ...this.settings, PORT: '0' };
    const child = spawn(process.execPath, [MAIN], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.child = child;
    const complaints = text(child.stderr);
    const listening = Promise.withResolvers<void>();
    createInterface({ input: child.stdout }).on('line', (line) => {
      const entry = JSON.parse(line) as { readonly url?: unknown };
      this.log.push({ ...entry });
      if (this.listening !== undefined || !String(entry.url).startsWith('http://')) return;
      this.listening = Number(new URL(String(entry.url)).port);
      listening.resolve();
    });
    child.once('exit', () => {
      void complaints.then((said) =>
        listening.reject(new Error(`The app ended before it listened. ${said}`)),
      );
    });
    await listening.promise;
  }

  /** Ends it without a warning. */
  kill(): Promise<void> {
    return this.end('SIGKILL');
  }

  /** Asks it to stop, as an orchestrator does. */
  stop(): Promise<void> {
    return this.end('SIGTERM');
  }

  private async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const { child } = this;
    this.listening = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }
}
