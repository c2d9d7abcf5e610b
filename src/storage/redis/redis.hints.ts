import { Redis } from 'ioredis';
import { Logger } from '@nestjs/common';
import { AppError } from '../../errors.js';
import type { HintCarrier, HintListener } from '../shared.wakeups.js';

const CHANNEL = 'agent-stream:hints';

/** What cannot be done in so long is not waited for, in milliseconds: hints may be lost, and counts have their fallback. */
const COMMAND_MS = 1_000;

/**
 * Hints over Redis or Valkey instead of the database, which is then spared the notifications. Redis holds nothing that matters:
 * when it is away, readers find out by looking now and then.
 */
export class RedisHints implements HintCarrier {
  /** For what else is kept there. */
  readonly client: Redis;
  private readonly subscriber: Redis;
  private readonly logger = new Logger(RedisHints.name);

  constructor(url: string) {
    const options = { lazyConnect: true, maxRetriesPerRequest: 0, connectTimeout: COMMAND_MS };
    this.client = new Redis(url, { ...options, enableOfflineQueue: false, commandTimeout: COMMAND_MS });
    this.subscriber = new Redis(url, options);
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
      throw new AppError('STORAGE_FAILED', 'Redis cannot be reached. Check REDIS_URL.', { cause });
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
    for (const redis of [this.subscriber, this.client]) redis.disconnect();
  }
}
