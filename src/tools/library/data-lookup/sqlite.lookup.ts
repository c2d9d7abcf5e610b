import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { AppError } from '../../../errors.js';
import type { LookupDatabase } from './lookup-database.js';
import { tooSlow, type LookupLimits, type LookupResult, type TableDescription } from './lookup-result.js';
import type { LookupAnswer, LookupTask } from './sqlite.lookup.process.js';

const PROGRAM = fileURLToPath(
  new URL(
    import.meta.url.endsWith('.ts') ? './sqlite.lookup.process.ts' : './sqlite.lookup.process.js',
    import.meta.url,
  ),
);

/**
 * SQLite in a process per lookup. A query runs inside one call into SQLite: a thread that is in it cannot be ended, a
 * process can. The process has no environment, and so none of our secrets.
 */
export class SqliteLookup implements LookupDatabase {
  /** @param path of the file; undefined: the countries of the world, in memory */
  constructor(
    private readonly path: string | undefined,
    private readonly limits: LookupLimits,
  ) {}

  async tables(signal: AbortSignal): Promise<readonly TableDescription[]> {
    return (await this.#run(undefined, signal)) as readonly TableDescription[];
  }

  async query(sql: string, signal: AbortSignal): Promise<LookupResult> {
    return (await this.#run(sql, signal)) as LookupResult;
  }

  async #run(sql: string | undefined, signal: AbortSignal): Promise<unknown> {
    signal.throwIfAborted();
    const deadline = AbortSignal.timeout(this.limits.timeoutMs);
    const task: LookupTask = { path: this.path, sql, limits: this.limits };
    const child = fork(PROGRAM, {
      env: {},
      execArgv: ['--disable-warning=ExperimentalWarning', '--max-old-space-size=128'],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    try {
      return resultOf(await answerOf(child, task, AbortSignal.any([signal, deadline])));
    } catch (error) {
      if (deadline.aborted && !signal.aborted) throw tooSlow(this.limits.timeoutMs, error);
      signal.throwIfAborted();
      throw error;
    } finally {
      child.kill('SIGKILL');
    }
  }
}

/** The process says one thing. If it ends without it, it ran out of memory. */
async function answerOf(child: ChildProcess, task: LookupTask, signal: AbortSignal): Promise<LookupAnswer> {
  const done = new AbortController();
  const waiting = { signal: AbortSignal.any([signal, done.signal]) };
  // Not 'exit', which may overtake what the process has said.
  const ended = once(child, 'disconnect', waiting).then(() => {
    throw new Error('The query needs too much memory. Ask for less.');
  });
  try {
    child.send(task);
    const [answer] = (await Promise.race([once(child, 'message', waiting), ended])) as [LookupAnswer];
    return answer;
  } finally {
    done.abort();
  }
}

function resultOf(answer: LookupAnswer): unknown {
  if (answer.type === 'result') return answer.result;
  if (answer.type === 'query-fault') throw new Error(answer.message);
  throw new AppError(
    'TOOL_NOT_CONFIGURED',
    'The lookup database cannot be opened. Check LOOKUP_DATABASE_URL.',
    {
      cause: answer.message,
    },
  );
}
