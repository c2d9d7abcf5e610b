import { Logger } from '@nestjs/common';
import type { Agent } from '../agents/agent.js';
import { AppError } from '../errors.js';
import type { SaidText } from './event-log.js';
import { createTitle, toTitle, type Run } from './run.js';
import type { RunStore } from './run.store.js';

/** Titles that are made at a time in this process. A thread whose first run ends meanwhile keeps its first line. */
const AT_A_TIME = 4;

/** Time for which a title is waited for, in milliseconds. */
const PATIENCE_MS = 20_000;

/**
 * Titles of threads by the model of their agent. A title is made once, after the first answer, and no run waits for it. One that cannot be made, or is cut
 * off by the end of the process, is not tried again: the thread has its first line.
 */
export class ThreadTitles {
  private readonly logger = new Logger(ThreadTitles.name);
  private readonly stopping = new AbortController();
  private readonly underWay = new Set<Promise<void>>();

  constructor(private readonly runs: Pick<RunStore, 'getThread' | 'changeThread'>) {}

  /** Makes the title of the run's thread, unless it has one already that is not the first line. */
  nameSoon(run: Run, agent: Agent | undefined, said: SaidText): void {
    if (!agent?.makeTitle || said.answer.trim() === '') return;
    const { stateChange } = run.given ?? {};
    // A change of the state is no question.
    if (stateChange && !stateChange.continues) return;
    if (this.stopping.signal.aborted || this.underWay.size >= AT_A_TIME) return;
    const naming = this.name(run, agent, said)
      .catch((error: unknown) => {
        const { id: runId, threadId } = run;
        this.logger.warn(
          { ...toFacts(error), runId, threadId },
          'A thread keeps its first line as its title.',
        );
      })
      .finally(() => this.underWay.delete(naming));
    this.underWay.add(naming);
  }

  /** Gives up the titles that are under way. Resolves when nothing uses the storage any more. */
  async stop(): Promise<void> {
    this.stopping.abort(new Error('The process stops.'));
    await this.settled();
  }

  /** Resolves when no title is under way. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.underWay);
  }

  private async name(run: Run, agent: Agent, said: SaidText): Promise<void> {
    const { principal, threadId } = run;
    const titleBefore = createTitle(run);
    const isUnnamed = async () =>
      (await this.runs.getThread(principal, threadId))?.title === titleBefore && titleBefore !== '';
    if (!(await isUnnamed())) return;
    const signal = AbortSignal.any([this.stopping.signal, AbortSignal.timeout(PATIENCE_MS)]);
    const made = await orAborted(
      agent.makeTitle?.({ question: run.message || titleBefore, answer: said.answer }, signal),
      signal,
    );
    const title = cleanTitle(made ?? '');
    // A person may have been quicker.
    if (title !== '') await this.runs.changeThread(principal, threadId, { title, titleBefore });
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
