import type { ThrottlerStorage } from '@nestjs/throttler';

/**
 * The port that counts run starts: the throttler's storage, under a token of our own so that a host's throttler keeps its
 * counts apart from ours. In-process by default; with several instances each counts for itself.
 */
export abstract class RunStartCounter implements ThrottlerStorage {
  abstract increment(
    ...parameters: Parameters<ThrottlerStorage['increment']>
  ): ReturnType<ThrottlerStorage['increment']>;
}
