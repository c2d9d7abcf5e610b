import { Logger } from '@nestjs/common';
import { lastValueFrom, toArray } from 'rxjs';
import { AgentRegistry } from '../agents/agent.registry.js';
import type { Agent } from '../agents/agent.js';
import type { RecordedEvent } from '../events/recorded-event.js';
import type { RunEvent } from '../events/run-event.js';
import type { Principal } from '../principal.js';
import { MemoryStorage } from '../storage/memory/memory.storage.js';
import type { Storage } from '../storage/storage.js';
import { GroupCommit } from './group-commit.js';
import { FileService, type FileRules } from './file.service.js';
import { DEFAULT_FILE_LIMITS, DEFAULT_UPLOAD_RULES } from './run-files.js';
import { EventCache } from './event.cache.js';
import { RunWorker, type WorkerOptions } from './run.worker.js';
import { ReplacedText } from './replaced-text.js';
import { RunFeed } from './run.feed.js';
import { RunHookCalls, type RunHooks } from './run.hooks.js';
import { DEFAULT_LIMITS, type RunLimits } from './run-limits.js';
import { MessageService } from './message.service.js';
import { RunService } from './run.service.js';

// What these processes have to say, the specs read in the logs of their runs.
Logger.overrideLogger(false);

export const ADA: Principal = { userId: 'ada', tenant: 'acme', roles: [] };

/** One process over a storage: what it takes to start runs, to work on them and to watch them. It works once its executor is started. */
export interface TestProcess {
  readonly storage: Storage;
  readonly runs: RunService;
  readonly messages: MessageService;
  readonly feed: RunFeed;
  readonly recent: EventCache;
  readonly executor: RunWorker;
  /** The whole log of a run, once it has ended. */
  readonly readLog: (runId: string) => Promise<RecordedEvent[]>;
}

export interface ProcessOptions {
  readonly storage?: Storage;
  readonly limits?: Partial<RunLimits>;
  readonly executor?: Partial<WorkerOptions>;
  readonly whenBusy?: 'reject' | 'queue';
  readonly whenAwaiting?: 'deny' | 'reject';
  readonly hooks?: RunHooks;
  readonly files?: Partial<FileRules>;
}

export function processWith(agents: readonly Agent[], options: ProcessOptions = {}): TestProcess {
  const {
    storage = new MemoryStorage(),
    limits,
    executor,
    whenBusy = 'reject',
    whenAwaiting = 'deny',
    hooks = {},
  } = options;
  const registry = new AgentRegistry();
  for (const agent of agents) registry.register(agent);
  const recent = new EventCache();
  const { runs, log, wakeups } = storage;
  const commits = new GroupCommit(log);
  const tools = {
    runs,
    log,
    wakeups,
    recent,
    commits,
    blobs: storage.blobs,
    limits: { ...DEFAULT_LIMITS, ...limits },
    hooks: new RunHookCalls(hooks),
    replaced: new ReplacedText({ retention: storage.retention, log, recent }),
  };
  const feed = new RunFeed(log, recent, wakeups);
  const worker = new RunWorker(registry, tools, { maxConcurrentRuns: 100, leaseMs: 4_000, ...executor });
  const service = new RunService(runs, worker, wakeups, registry, {
    whenBusy,
    whenAwaiting,
    files: new FileService(storage.blobs, {
      ...DEFAULT_FILE_LIMITS,
      ...DEFAULT_UPLOAD_RULES,
      ...options.files,
    }),
    beforeRun: (request) => hooks.beforeRun?.(request),
  });
  return {
    storage,
    feed,
    recent,
    runs: service,
    messages: new MessageService(service, runs, wakeups, registry, {
      beforeRun: (request) => hooks.beforeRun?.(request),
    }),
    executor: worker,
    readLog: (runId) => lastValueFrom(feed.follow({ runId, afterSeq: 0 }).pipe(toArray())),
  };
}

/** Events as a log has them: numbered from 1, a millisecond apart. */
export function recordedAll(events: readonly RunEvent[], { runId = 'run', epoch = 1 } = {}): RecordedEvent[] {
  return events.map((event, index) => ({
    runId,
    threadId: 'thread',
    seq: index + 1,
    epoch,
    at: 1_000 + index,
    event,
  }));
}

export function listTypes(log: readonly { readonly event: RunEvent }[]): string[] {
  return log.map(({ event }) => event.type);
}

/** Resolves when the signal is aborted: what an agent does that waits for nothing else. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
