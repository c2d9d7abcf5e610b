import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { VictimOptions } from './victim.options.js';

/** A server process that can be killed and started again on the same data, any number of times. */
export class VictimServer {
  private child: ChildProcess | undefined;
  private listening: number | undefined;
  private lives = 0;
  /** How long each start took until it listened, in milliseconds. */
  readonly bootTimes: number[] = [];

  /** @param program the file of the process: `victim.process.js` of the build */
  constructor(
    private readonly program: string,
    private readonly options: Omit<VictimOptions, 'life'>,
  ) {}

  /** The port of the life that is going on; undefined while there is none. */
  get port(): number | undefined {
    return this.listening;
  }

  /** Begins the next life. `listening` resolves with true when it serves, with false when it died before that. */
  start(): { readonly listening: Promise<boolean> } {
    this.lives += 1;
    const startedAt = performance.now();
    const child = fork(this.program, [JSON.stringify({ ...this.options, life: this.lives })], {
      execArgv: [],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.child = child;
    const listening = new Promise<boolean>((resolve) => {
      child.once('message', (message) => {
        this.listening = (message as { port: number }).port;
        this.bootTimes.push(performance.now() - startedAt);
        resolve(true);
      });
      child.once('exit', () => resolve(false));
    });
    return { listening };
  }

  /** Ends this life without a warning. Resolves when the process is gone. */
  kill(): Promise<void> {
    return this.end('SIGKILL');
  }

  /** Asks it to stop, as an orchestrator does. Resolves when the process is gone. */
  stop(): Promise<void> {
    return this.end('SIGTERM');
  }

  /** Stops it where it is, as a paused machine does; it knows nothing of it. */
  freeze(): void {
    this.child?.kill('SIGSTOP');
  }

  /** Lets it go on where it was. */
  thaw(): void {
    this.child?.kill('SIGCONT');
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
