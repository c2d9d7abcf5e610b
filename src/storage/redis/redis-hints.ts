import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { Logger } from '@nestjs/common';
import { AppError } from '../../errors.js';
import { nameOption } from '../../option-names.js';
import { RedisOpenStreams } from '../../throttling/redis-open-streams.js';
import { RedisRunStartCounter } from '../../throttling/redis-run-start.counter.js';
import type { ThrottlingCounters } from '../../throttling/throttling.options.js';
import type { HintCarrier, HintListener } from '../shared-wakeups.js';

const CHANNEL = 'agent-stream:hints';

/** Maximum wait for a command, in milliseconds: hints may be lost, and counts have their fallback. */
const COMMAND_MS = 1_000;

/**
 * Hints and limits over Redis or Valkey instead of the database, which is then spared the notifications and the counting. Redis
 * holds nothing that matters: when it is away, readers find out by looking now and then.
 */
export class RedisHints implements HintCarrier {
  readonly counters: ThrottlingCounters;
  readonly client: Redis;
  private readonly subscriber: Redis;
  private readonly logger = new Logger(RedisHints.name);

  constructor(url: string) {
    const options = { lazyConnect: true, maxRetriesPerRequest: 0, connectTimeout: COMMAND_MS };
    this.client = new Redis(url, { ...options, enableOfflineQueue: false, commandTimeout: COMMAND_MS });
    this.subscriber = new Redis(url, options);
    this.counters = {
      runStarts: new RedisRunStartCounter(this.client),
      openStreams: (limit) => new RedisOpenStreams(this.client, limit),
    };
  }

  /** @throws AppError STORAGE_FAILED when it cannot be reached: at the start, that is a setting that is wrong */
  async open(listener: HintListener): Promise<void> {
    for (const redis of [this.client, this.subscriber]) {
      redis.on('error', (error: unknown) => this.logger.debug({ err: error }, 'Redis cannot be reached.'));
    }
    this.subscriber.on('message', (_channel: string, payload: string) => listener.received(payload));
    try {
      await Promise.all([this.client.connect(), this.subscriber.connect()]);
      await this.subscriber.subscribe(CHANNEL);
    } catch (cause) {
      await this.close();
      throw new AppError(
        'STORAGE_FAILED',
        `Redis cannot be reached. Check ${nameOption('url of RedisHints')}.`,
        { cause },
      );
    }
    // From the second connection on; the channels are subscribed to again before it is ready.
    this.subscriber.on('ready', () => listener.missed());
  }

  async send(payloads: readonly string[]): Promise<void> {
    await Promise.all(payloads.map((payload) => this.client.publish(CHANNEL, payload))).catch(
      () => undefined,
    );
  }

  async close(): Promise<void> {
    // After a reconnect the library subscribes again by itself. Its rejection is unhandled if the connection closes before the reply.
    if (this.subscriber.status === 'ready') {
      await Promise.race([this.subscriber.unsubscribe(), sleep(COMMAND_MS, undefined, { ref: false })]).catch(
        () => undefined,
      );
    }
    for (const redis of [this.subscriber, this.client]) redis.disconnect();
  }
}
