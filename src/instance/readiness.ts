import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { Storage } from '../storage/storage.js';

/** `draining`: the server is about to stop. `storage-failed`: the log cannot be read or written. */
export type ReadinessStatus = 'ready' | 'draining' | 'storage-failed';

const CHECK_TIMEOUT_MS = 2000;

/** Tells whether a balancer should send requests here. */
@Injectable()
export class Readiness implements OnModuleDestroy {
  private draining = false;
  private broken = false;

  constructor(private readonly storage: Storage) {
    storage.onBroken(() => (this.broken = true));
  }

  /** False once the storage is broken for good: only a new process can go on. */
  get isAlive(): boolean {
    return !this.broken;
  }

  get isDraining(): boolean {
    return this.draining;
  }

  /** Turns readiness off for good. The first step of a shutdown, before streams end, or clients come back to this very process. */
  startDraining(): void {
    this.draining = true;
  }

  /** Nest calls it first when an application closes; its streams are ended after it. */
  onModuleDestroy(): void {
    this.startDraining();
  }

  /** Asks the storage, for at most two seconds: one that hangs is as bad as one that fails. */
  async check(): Promise<ReadinessStatus> {
    if (this.draining) return 'draining';
    const timeout = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => timeout.reject(new Error('The storage does not answer.')),
      CHECK_TIMEOUT_MS,
    );
    try {
      await Promise.race([this.storage.check(), timeout.promise]);
      return 'ready';
    } catch {
      return 'storage-failed';
    } finally {
      clearTimeout(timer);
    }
  }
}
