import { hostname } from 'node:os';
import { Inject, Injectable } from '@nestjs/common';
import { SseStreams } from '../http/sse-streams.js';
import { RunsLifecycle } from '../runs/runs-lifecycle.service.js';
import { Readiness } from './readiness.js';

/** Injection token of the time that a drain may take, in milliseconds. */
export const DRAIN_MS = Symbol('DRAIN_MS');

/** The state of this process, for those who run it. */
export interface InstanceState {
  /** The name of the machine, which in a container is that of the pod. */
  readonly name: string;
  readonly status: 'working' | 'draining';
  /** Runs that this process owns now, and how many it may own at a time. */
  readonly runs: number;
  readonly maxRuns: number;
  readonly streams: number;
}

/** Takes this process out of service: for a shutdown, or because an operator asks for it. */
@Injectable()
export class DrainService {
  private drained: Promise<unknown> | undefined;

  constructor(
    private readonly readiness: Readiness,
    private readonly runs: RunsLifecycle,
    private readonly streams: SseStreams,
    @Inject(DRAIN_MS) private readonly windowMs: number,
  ) {}

  /**
   * Turns readiness off for good, gives the runs in hand back, and ends the streams. Resolves when all of them are gone. A repeated call
   * waits for the first one.
   */
  async drain(): Promise<void> {
    this.readiness.startDraining();
    this.drained ??= Promise.all([this.runs.drain(this.windowMs), this.streams.drain(this.windowMs)]);
    await this.drained;
  }

  get state(): InstanceState {
    return {
      name: hostname(),
      status: this.readiness.isDraining ? 'draining' : 'working',
      ...this.runs.load,
      streams: this.streams.size,
    };
  }
}
