import { Logger } from '@nestjs/common';
import type { Agent } from '../agents/agent.js';
import type { TitleContext } from '../agents/title-context.js';
import { AppError } from '../errors.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import type { SaidText } from './event-log.js';
import { OutsideCharges, type ChargeDeps } from './outside-charges.js';
import { createTitle, toTitle, type Run } from './run.js';
import type { RunStore } from './run.store.js';

/** Titles that are made at a time in this process. A thread whose first run ends meanwhile keeps its first line. */
const AT_A_TIME = 4;

/** Time for which a title is waited for, in milliseconds. */
const PATIENCE_MS = 20_000;

export interface TitleDeps extends ChargeDeps {
  readonly runs: Pick<RunStore, 'getThread' | 'changeThread' | 'chargeUsage'>;
  readonly telemetry?: Pick<Telemetry, 'metrics' | 'measureBeside'>;
}

/**
 * Titles of threads by the model of their agent. A title is made once, after the first answer, and no run waits for it. One that cannot be made, or is cut
 * off by the end of the process, is not tried again: the thread has its first line. The model calls are charged to the thread's owner.
 */
export class ThreadTitles {
  private readonly logger = new Logger(ThreadTitles.name);
  private readonly stopping = new AbortController();
  private readonly underWay = new Set<Promise<void>>();
  private readonly charges: OutsideCharges;
  private hasStopped = false;

  constructor(private readonly deps: TitleDeps) {
    this.charges = new OutsideCharges(deps, (run, error) =>
      this.warn(run, error, 'The tokens of a title could not be charged.'),
    );
  }

  /** Makes the title of the run's thread, unless it has one already that is not the first line. */
  nameSoon(run: Run, agent: Agent | undefined, said: SaidText): void {
    if (!agent?.makeTitle || said.answer.trim() === '') return;
    const { stateChange } = run.given ?? {};
    // A change of the state is no question.
    if (stateChange && !stateChange.continues) return;
    if (this.stopping.signal.aborted || this.underWay.size >= AT_A_TIME) return;
    const naming = this.name(run, agent, said)
      .catch((error: unknown) => this.warn(run, error, 'A thread keeps its first line as its title.'))
      .finally(() => this.underWay.delete(naming));
    this.underWay.add(naming);
  }

  /** Gives up the titles that are under way. Resolves when nothing uses the storage any more. */
  async stop(): Promise<void> {
    this.stopping.abort(new Error('The process stops.'));
    await Promise.allSettled(this.underWay);
    this.hasStopped = true;
    await this.charges.settled();
  }

  /** Resolves when no title is under way, and those that were made are charged. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.underWay);
    await this.charges.settled();
  }

  private async name(run: Run, agent: Agent, said: SaidText): Promise<void> {
    const { principal, threadId } = run;
    const { runs } = this.deps;
    const titleBefore = createTitle(run);
    const isUnnamed = async () =>
      (await runs.getThread(principal, threadId))?.title === titleBefore && titleBefore !== '';
    if (!(await isUnnamed())) return;
    const signal = AbortSignal.any([this.stopping.signal, AbortSignal.timeout(PATIENCE_MS)]);
    const begun = { question: run.message || titleBefore, answer: said.answer };
    const made = await orAborted(agent.makeTitle?.(begun, signal, this.contextFor(run, signal)), signal);
    const title = cleanTitle(made ?? '');
    // A person may have been quicker.
    if (title !== '') await runs.changeThread(principal, threadId, { title, titleBefore });
  }

  private contextFor(run: Run, signal: AbortSignal): TitleContext {
    const telemetry = this.deps.telemetry?.measureBeside(run, signal);
    return {
      // A model that does not listen may still say something when the storage is closed.
      report: (usage) => {
        if (!this.hasStopped) this.charges.charge(run, usage);
      },
      ...(telemetry && { telemetry }),
    };
  }

  private warn({ id: runId, threadId }: Run, error: unknown, message: string): void {
    this.logger.warn({ ...toFacts(error), runId, threadId }, message);
  }
}

/** Returns the first line of what a model has said, without the marks that models put around titles. Pure. */
export function cleanTitle(said: string): string {
  const line = said.split(/\r\n|\r|\n/).find((each) => /[\p{L}\p{N}]/u.test(each)) ?? '';
  const bare = strip(line).replace(/^title\s*:/i, '');
  return toTitle(strip(bare));
}

function strip(line: string): string {
  return line.replace(/^[\s#*_`"'“”„«»‘’]+/, '').replace(/[\s#*_`"'“”«»‘’.]+$/, '');
}

/** The facts of a failure that are logged. Words that are not ours may quote the conversation or a key. */
function toFacts(error: unknown): Readonly<Record<string, unknown>> {
  if (error instanceof AppError) return { err: error };
  const { name, code } = error instanceof Error ? (error as Error & { code?: unknown }) : {};
  return { errorName: name ?? typeof error, ...(typeof code === 'string' && { errorCode: code }) };
}

/** Settles no later than the signal, also for a model that does not listen to it. */
function orAborted<Value>(work: Promise<Value> | undefined, signal: AbortSignal): Promise<Value | undefined> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason as Error);
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    Promise.resolve(work)
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', abort));
  });
}
