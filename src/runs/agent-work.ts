import type { Agent, AgentContext } from '../agents/agent.js';
import { AppError } from '../errors.js';
import { mayUse, type Principal } from '../principal.js';
import type { ExecutionDeps } from './execution-deps.js';
import type { Acquisition } from './opening-events.js';
import type { Run } from './run.js';
import { runAtWork, type RunAtWork } from './run-context.js';
import { readHistory, type RunProgress } from './run-progress.js';
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
  readonly sources: RunSources;
  readonly signal: AbortSignal;
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
  return catchFailure(() => hooks?.around({ ...run, principal }, work) ?? work());
}

function createContext(
  { run, acquisition, progress, sources, signal, emit }: AgentTask,
  recorder: RunRecorder,
  principal: Principal,
  deps: ExecutionDeps,
): AgentContext {
  const { id: runId, threadId, threadKey, messageId, epoch } = run;
  const { attempt, begunCalls, completedSteps, decisions } = progress;
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
    completedSteps,
    decisions,
    sources,
    recorded: () => recorder.flush(),
    emit,
    spokenBefore: () => foldSpoken(runId, readHistory(run, deps.log), completedSteps),
    readStoppedBefore: () => readStoppedBefore(run, deps),
    commitNow: () => recorder.commitNow(),
  };
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
