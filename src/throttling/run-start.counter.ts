import type { ThrottlerStorage } from '@nestjs/throttler';

/**
 * The port that counts run starts: the throttler's storage, under a token of our own so that a host's throttler keeps its
 * counts apart from ours. In this process, or over all instances in what they share.
 */
export abstract class RunStartCounter implements ThrottlerStorage {
  abstract increment(
    ...parameters: Parameters<ThrottlerStorage['increment']>
  ): ReturnType<ThrottlerStorage['increment']>;

  /** Takes back the latest start of this key. Resolves even if there is none. */
  abstract giveBack(key: string): Promise<void>;
}
