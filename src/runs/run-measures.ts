import type { Agent } from '../agents/agent.js';
import type { RunEnd, Usage } from '../events/run-event.js';
import type { Metrics } from '../telemetry/metrics.js';
import { ATTRIBUTES } from '../telemetry/names.js';
import type { RunTelemetry } from '../telemetry/run-telemetry.js';
import type { ExecutionDeps } from './execution-deps.js';
import type { Acquisition } from './opening-events.js';
import { getWait, type Run } from './run.js';

/** Begins to measure an owner's work on a run. Undefined if traces and metrics are off. */
export function beginTelemetry(
  run: Run,
  { telemetry }: Pick<ExecutionDeps, 'telemetry'>,
  {
    acquisition,
    agent,
    signal,
  }: { readonly acquisition: Acquisition; readonly agent: Agent | undefined; readonly signal: AbortSignal },
): RunTelemetry | undefined {
  if (!telemetry) return undefined;
  const isFirst = run.lastSeq === 0;
  if (isFirst) telemetry.metrics?.record('runWait', getWait(run) / 1000);
  return telemetry.beginWork({
    ...run,
    isWorkflow: agent?.isWorkflow ?? false,
    acquisition: isFirst ? 'start' : (acquisition.resumed ?? 'takeover'),
    signal,
  });
}

/** Counts a run that has ended, and what it has cost. */
export function countEnd(
  { agent }: Run,
  { outcome, usage }: Pick<RunEnd, 'outcome' | 'usage'>,
  { telemetry }: Pick<ExecutionDeps, 'telemetry'>,
): void {
  const { metrics } = telemetry ?? {};
  if (!metrics) return;
  metrics.count('runsEnded', 1, { [ATTRIBUTES.agent]: agent, [ATTRIBUTES.runOutcome]: outcome });
  countCost({ agent, usage }, metrics);
}

/** Counts what was charged under the name of an agent. */
export function countCost(
  { agent, usage: { costMicros, unpricedTokens } }: { readonly agent: string; readonly usage: Usage },
  metrics: Metrics,
): void {
  const labels = { [ATTRIBUTES.agent]: agent };
  if (costMicros !== undefined) metrics.count('runsCost', costMicros / 1e6, labels);
  if (unpricedTokens !== undefined) metrics.count('runsUnpricedTokens', unpricedTokens, labels);
}
