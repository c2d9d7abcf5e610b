import { Injectable, Logger } from '@nestjs/common';
import { AppError } from '../errors.js';
import type { Owner } from '../principal.js';
import { SecurityLog } from '../security/security-log.service.js';
import { SharedState } from '../shared-state.js';
import { toSwitchKey, type SwitchedOff, type SwitchTarget } from './switch.js';
import { Switches } from './switches.js';

const PREFIX = 'switch:';

/** Time between two looks without a hint, in milliseconds. A hint makes it a matter of milliseconds. */
const POLL_MS = 1_000;

/** Everybody reads all of them every second. */
const MOST_SWITCHES = 1_000;

/** Carries changes of switches to the other instances. May lose it. */
export interface SwitchHints {
  notify(topic: 'switches'): void;
  listen(topic: 'switches', wake: () => void): () => void;
}

/** The person who switches, and the reason. */
export interface SwitchNote {
  readonly by?: Owner;
  readonly reason?: string;
}

/**
 * Stops an agent, a tool, a user or a tenant at once, and on all instances that share the storage: nothing of it begins, what waits ends
 * failed, what is at work is aborted, and a caller's requests are refused and cut. It lasts until it is switched on again.
 */
@Injectable()
export class SwitchService {
  private readonly logger = new Logger(SwitchService.name);
  private timer: NodeJS.Timeout | undefined;
  private stopListening: (() => void) | undefined;
  private reading: Promise<unknown> = Promise.resolve();
  /** A reading that has not begun. */
  private queued: Promise<void> | undefined;

  constructor(
    private readonly state: SharedState,
    private readonly hints: SwitchHints,
    private readonly security: SecurityLog,
    private readonly switches: Switches,
  ) {}

  /** Reads what is switched off, and from now on follows what others do. @throws AppError STORAGE_FAILED */
  async start(): Promise<void> {
    await this.read();
    this.stopListening = this.hints.listen('switches', () => void this.refresh());
    this.timer = setInterval(() => void this.refresh(), POLL_MS).unref();
  }

  async stop(): Promise<void> {
    this.stopListening?.();
    clearInterval(this.timer);
    await this.reading;
  }

  /** Everything that is switched off, as this process knows it. */
  get list(): readonly SwitchedOff[] {
    return this.switches.list;
  }

  /**
   * Resolves when it is stored and holds in this process; elsewhere it holds within a second. Harmless when repeated.
   *
   * @throws AppError STORAGE_FAILED; REQUEST_INVALID when too much is switched off already
   */
  async off(target: SwitchTarget, { by, reason }: SwitchNote = {}): Promise<SwitchedOff> {
    if (this.list.length >= MOST_SWITCHES) {
      throw new AppError(
        'REQUEST_INVALID',
        `${MOST_SWITCHES} things are switched off already. Switch some of them on.`,
      );
    }
    const entry: SwitchedOff = {
      target,
      at: Date.now(),
      ...(by && { by: { tenant: by.tenant, userId: by.userId } }),
      ...(reason !== undefined && { reason }),
    };
    const stored = (await this.state.create(PREFIX + toSwitchKey(target), entry)) as SwitchedOff;
    await this.changed('switched-off', target, {
      ...(by && { by }),
      ...(reason !== undefined && { reason }),
    });
    return stored;
  }

  /** Harmless when it is on. @throws AppError STORAGE_FAILED */
  async on(target: SwitchTarget, note: SwitchNote = {}): Promise<void> {
    await this.state.delete(PREFIX + toSwitchKey(target));
    await this.changed('switched-on', target, note);
  }

  private async changed(
    type: 'switched-off' | 'switched-on',
    target: SwitchTarget,
    { by, reason }: SwitchNote,
  ): Promise<void> {
    this.security.record({
      type,
      subject: toSwitchKey(target),
      ...(by && { principal: by }),
      ...(reason !== undefined && { reason }),
    });
    this.hints.notify('switches');
    await this.read();
  }

  /** Never rejects: what was known last still holds. */
  private async refresh(): Promise<void> {
    try {
      await this.read();
    } catch (error) {
      this.logger.error({ err: error }, 'The switches could not be read. The last known ones still apply.');
    }
  }

  /** One after the other, so that the last to end is the last to have begun; a call while one waits gets that one. */
  private read(): Promise<void> {
    this.queued ??= this.reading.then(() => {
      this.queued = undefined;
      return this.load();
    });
    this.reading = this.queued.catch(() => undefined);
    return this.queued;
  }

  private async load(): Promise<void> {
    const found = await this.state.list(PREFIX);
    this.switches.replace(found.map(({ value }) => value as SwitchedOff));
  }
}
