import type { Metrics } from './metrics.js';

/** Milliseconds after which a commit that no reader here has is given up, so that another can be watched. */
const PATIENCE_MS = 1_000;

/**
 * Measures the time from a commit to its frames on the wire, one commit at a time: a sample that costs the same however many runs
 * and readers a process has.
 */
export class CommitWatch {
  private watched: { readonly runId: string; readonly at: number } | undefined;

  constructor(private readonly metrics: Metrics) {}

  /** Hears of a commit, before its readers do. */
  committed(runId: string): void {
    const at = performance.now();
    if (this.watched && at - this.watched.at < PATIENCE_MS) return;
    this.watched = { runId, at };
  }

  /** Hears that a reader has been handed what was committed. Its frames are written at the end of this turn. */
  handedOut(runId: string): void {
    const { watched } = this;
    if (watched?.runId !== runId) return;
    this.watched = undefined;
    setImmediate(() => this.metrics.record('commitToWire', (performance.now() - watched.at) / 1000));
  }
}
