import type { Agent, AgentContext, Ancestor } from '../agents/agent.js';
import { AppError } from '../errors.js';
import { mayUse, type Principal } from '../principal.js';
import type { RunTelemetry } from '../telemetry/run-telemetry.js';
import type { ExecutionDeps } from './execution-deps.js';
import type { Acquisition } from './opening-events.js';
import type { Run } from './run.js';
import { createFileKeeper, DEFAULT_FILE_LIMITS } from './run-files.js';
import { runAtWork, type RunAtWork } from './run-context.js';
import { readAncestors } from './ancestors.js';
import { readHistory, type RunProgress } from './run-progress.js';
import type { RunInbox } from './run-inbox.js';
import type { RunRecorder } from './run.recorder.js';
import type { RunSources } from './run-sources.js';
import { createPoisonedError } from './run.errors.js';
import { foldSpoken } from './spoken-before.js';
import { readStoppedBefore } from './stopped-run.js';

/** A run that an agent is to work on, and the facts of its execution. */
export interface AgentTask {
  readonly run: Run;
  /** Undefined if no agent of this server has the run's name. */
  readonly agent: Agent | undefined;
  readonly acquisition: Acquisition;
  readonly progress: RunProgress;
  readonly inbox: RunInbox;
  readonly sources: RunSources;
  readonly signal: AbortSignal;
  readonly telemetry: RunTelemetry | undefined;
  readonly emit: AgentContext['emit'];
  readonly atWork: RunAtWork;
}

/** Lets the agent work. Resolves with what it threw, or with the reason for which it was not called; undefined when it completed. */
export async function performAgentWork(
  task: AgentTask,
  recorder: RunRecorder,
  deps: ExecutionDeps,
): Promise<unknown> {
  const { run, agent, progress } = task;
  const { deaths = 0, message, metadata, given } = run;
  if (deaths >= deps.limits.maxOwners) return createPoisonedError(deaths);
  if (!agent) return new AppError('AGENT_UNKNOWN', `There is no agent '${run.agent}' on this server.`);
  if (run.resumeOf !== undefined && progress.decisions.size === 0)
    return new AppError('RUN_FAILED', 'The run that this one continues is gone.');
  const principal = await readPresentPrincipal(task, deps);
  // Stopped while its roles were read: the run may be over by now.
  if (task.signal.aborted) return undefined;
  if (!mayUse(principal, agent.roles)) return refuse(run, deps);

  const context = createContext(task, recorder, principal, deps);
  const work = async () =>
    runAtWork.run(task.atWork, () => agent.run({ message, metadata, ...(given && { given }) }, context));
  const { hooks } = deps;
  const around = () => hooks?.around({ ...run, principal }, work) ?? work();
  return catchFailure(() => task.telemetry?.within(around) ?? around());
}

function createContext(
  { run, acquisition, progress, inbox, sources, signal, emit, telemetry }: AgentTask,
  recorder: RunRecorder,
  principal: Principal,
  deps: ExecutionDeps,
): AgentContext {
  const { id: runId, threadId, threadKey, messageId, epoch } = run;
  const { attempt, begunCalls, begunBefore, completedSteps, decisions } = progress;
  return {
    runId,
    threadId,
    threadKey,
    messageId,
    principal,
    attempt,
    epoch,
    isNewThread: acquisition.isNewThread ?? false,
    signal,
    begunCalls,
    begunBefore,
    completedSteps,
    decisions,
    sources,
    ...(run.parentId !== undefined && { parentId: run.parentId }),
    ...(telemetry && { telemetry }),
    recorded: () => telemetry?.commit(() => recorder.flush()) ?? recorder.flush(),
    emit,
    ...(deps.blobs && {
      keepFile: createFileKeeper(run, deps.blobs, deps.fileLimits ?? DEFAULT_FILE_LIMITS),
      readFile: (fileId) => deps.blobs!.get(run.principal, fileId),
    }),
    spokenBefore: () => foldSpoken(runId, readHistory(run, deps.log), completedSteps),
    ancestors: () => describeAncestors(run, deps),
    readStoppedBefore: (storedBy) => readStoppedBefore(run, storedBy, deps),
    commitNow: () => recorder.commitNow(),
    // What is emitted after a stop is dropped: its messages would wait for ever.
    hasMessages: () => !signal.aborted && inbox.hasMessages,
    takeMessages: () => inbox.take(),
  };
}

async function* describeAncestors(run: Run, { runs, agents }: ExecutionDeps): AsyncGenerator<Ancestor> {
  for await (const { id, status, isBeforeOthers, agent: name, given } of readAncestors(run, runs)) {
    const agent = agents?.get(name);
    yield {
      id,
      status,
      isBeforeOthers,
      ...(given?.fromCheckpoint !== undefined && { fromCheckpoint: given.fromCheckpoint }),
      ...(agent && { leavesCheckpoint: agent.leavesCheckpoints ?? false }),
    };
  }
}

/** Returns the run's principal with the roles that it still has. A run that begins where it was asked for has just been checked. */
async function readPresentPrincipal(
  { run, acquisition }: AgentTask,
  { roles }: ExecutionDeps,
): Promise<Principal> {
  const hasWaited = acquisition.resumed !== undefined;
  return hasWaited && roles ? roles.narrow(run.principal, 'all') : run.principal;
}

function refuse({ id: runId, threadId, agent, principal }: Run, { security }: ExecutionDeps): AppError {
  const { userId, tenant } = principal;
  security?.record({
    type: 'access-refused',
    principal: { userId, tenant },
    reason: 'FORBIDDEN',
    subject: `agent ${agent}`,
    runId,
    threadId,
  });
  return new AppError('FORBIDDEN', `You may no longer use the agent '${agent}'.`);
}

/** Returns the error that the agent throws, even before its first await; undefined if it completes. */
async function catchFailure(work: () => Promise<void>): Promise<unknown> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return error ?? new Error('The agent threw undefined or null. It must throw an error.');
  }
}
