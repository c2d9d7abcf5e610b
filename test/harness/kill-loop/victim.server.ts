import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { startProgram } from '../program.js';
import type { VictimMessage, VictimOptions } from './victim.options.js';

/** A server process that can be killed and started again on the same data, any number of times. */
export class VictimServer {
  private child: ChildProcess | undefined;
  private listening: number | undefined;
  private lives = 0;
  /** Duration of each start until it listened, in milliseconds. */
  readonly bootTimes: number[] = [];
  /** From each death, or wish for it, until the next life listens. */
  readonly outages: { readonly from: number; to: number }[] = [];
  /** Ids of the runs that were named in the log of a block. */
  readonly blockers = new Set<string>();
  /** Lives that a run has ended. */
  ownDeaths = 0;
  private exited: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly program: URL,
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
    const child = startProgram(this.program, JSON.stringify({ ...this.options, life: this.lives }), {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.child = child;
    this.exited = once(child, 'exit');
    const listening = new Promise<boolean>((resolve) => {
      child.on('message', (message) => {
        const said = message as VictimMessage;
        if (!('port' in said)) return this.hear(said);
        this.listening = said.port;
        this.bootTimes.push(performance.now() - startedAt);
        for (const outage of this.outages) outage.to = Math.min(outage.to, Date.now());
        resolve(true);
      });
      child.once('exit', () => resolve(false));
    });
    return { listening };
  }

  /** Resolves when this life is over, whatever has ended it. */
  gone(): Promise<unknown> {
    return this.exited;
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

  private hear(said: Exclude<VictimMessage, { port: number }>): void {
    if ('blocked' in said) {
      for (const { runId } of said.blocked) this.blockers.add(runId);
      return;
    }
    this.ownDeaths += 1;
    this.listening = undefined;
    this.outages.push({ from: Date.now(), to: Infinity });
  }

  private async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const { child } = this;
    this.listening = undefined;
    this.outages.push({ from: Date.now(), to: Infinity });
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }
}
