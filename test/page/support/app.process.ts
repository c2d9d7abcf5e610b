import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { childEnvironment } from '../../support/child-environment.js';

const MAIN = fileURLToPath(new URL('../../../dist/main.js', import.meta.url));

/** The standalone app as `npm start` starts it, in a process that can be killed and started again on the same data. */
export class AppProcess {
  private child: ChildProcess | undefined;
  private listening: number | undefined;

  constructor(private readonly settings: Readonly<Record<string, string>>) {}

  /** Undefined while it does not listen. */
  get port(): number | undefined {
    return this.listening;
  }

  /** Resolves once it listens. */
  async start(): Promise<void> {
    const env = { ...childEnvironment(), ...this.settings, PORT: '0' };
    const child = spawn(process.execPath, [MAIN], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    this.child = child;
    for await (const line of createInterface({ input: child.stdout })) {
      const { url } = JSON.parse(line) as { url?: string };
      if (url?.startsWith('http://')) {
        this.listening = Number(new URL(url).port);
        child.stdout.resume();
        return;
      }
    }
    throw new Error('The app ended before it listened.');
  }

  /** Ends it without a warning. */
  async kill(): Promise<void> {
    const { child } = this;
    this.listening = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }
}
