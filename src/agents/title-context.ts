import type { UsageReport } from '../events/run-event.js';
import type { RunTelemetry } from '../telemetry/run-telemetry.js';

/** The service as an agent that makes a title sees it. */
export interface TitleContext {
  /**
   * Tells of a model call that has ended, as an agent at work emits it. Its tokens are charged to the owner of the thread, under the agent's name and
   * with no run counted. A figure that no call can have counts as 0.
   */
  readonly report: (usage: UsageReport) => void;
  /** Puts model calls into the trace of the run that was answered, and into the metrics. Absent if both are off. */
  readonly telemetry?: Pick<RunTelemetry, 'beginModelCall'>;
}
