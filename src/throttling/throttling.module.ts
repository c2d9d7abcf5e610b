import { Module } from '@nestjs/common';
import { InProcessOpenStreams } from './in-process.open-streams.js';
import { InProcessRunStartCounter } from './in-process.run-start.counter.js';
import { OpenStreams } from './open-streams.js';
import { RunStartCounter } from './run-start.counter.js';
import { ConfigurableModuleClass, THROTTLING_OPTIONS } from './throttling.module-definition.js';
import { limitsOf, type ThrottlingOptions } from './throttling.options.js';

/**
 * The counters behind `RunStartThrottlerGuard` and `OpenStreamsGuard`, which the importing module binds to its routes.
 * `forRoot(options)` or `forRootAsync`; each call counts for itself. ThrottlerModule is not imported: it is global, so a host's
 * own throttler and ours would share one configuration.
 */
@Module({
  providers: [
    {
      provide: RunStartCounter,
      inject: [THROTTLING_OPTIONS],
      useFactory: ({ counters }: ThrottlingOptions) => counters?.runStarts ?? new InProcessRunStartCounter(),
    },
    {
      provide: OpenStreams,
      inject: [THROTTLING_OPTIONS],
      useFactory: (options: ThrottlingOptions) => {
        const { openStreams } = limitsOf(options);
        return options.counters?.openStreams(openStreams) ?? new InProcessOpenStreams(openStreams);
      },
    },
  ],
  exports: [THROTTLING_OPTIONS, RunStartCounter, OpenStreams],
})
export class ThrottlingModule extends ConfigurableModuleClass {}
