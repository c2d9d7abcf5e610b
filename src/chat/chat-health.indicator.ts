import { Injectable } from '@nestjs/common';
import { Readiness, type ReadinessStatus } from '../instance/readiness.js';

/** A health indicator's result, in the shape that the `HealthCheckService` of `@nestjs/terminus` reads. */
export type ChatHealth<Key extends string = string> = Record<
  Key,
  { readonly status: 'up' | 'down'; readonly reason?: Exclude<ReadinessStatus, 'ready'> | 'storage-broken' }
>;

/**
 * Health of this module, for the probes of a host: `health.check([() => chat.checkReady()])`. Needs no package; what it returns is
 * what indicators of `@nestjs/terminus` return.
 */
@Injectable()
export class ChatHealthIndicator {
  constructor(private readonly readiness: Readiness) {}

  /**
   * Checks whether this process should get requests. Down while the application closes (`draining`), and while its storage does not
   * answer (`storage-failed`); takes two seconds at most.
   *
   * @param key name of the result; default `chat`
   */
  checkReady(): Promise<ChatHealth<'chat'>>;
  checkReady<Key extends string>(key: Key): Promise<ChatHealth<Key>>;
  async checkReady(key = 'chat'): Promise<ChatHealth> {
    const status = await this.readiness.check();
    return { [key]: status === 'ready' ? { status: 'up' } : { status: 'down', reason: status } };
  }

  /** Checks whether this process can go on. Down once its storage is broken for good: then only a new process can. */
  checkAlive(): ChatHealth<'chat'>;
  checkAlive<Key extends string>(key: Key): ChatHealth<Key>;
  checkAlive(key = 'chat'): ChatHealth {
    return {
      [key]: this.readiness.isAlive ? { status: 'up' } : { status: 'down', reason: 'storage-broken' },
    };
  }
}
