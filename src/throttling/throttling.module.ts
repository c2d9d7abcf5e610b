import { Module } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { StartBudget } from '../runs/start.budget.js';
import { Downloads, Uploads } from './file-transfers.js';
import { InProcessOpenStreams } from './in-process-open-streams.js';
import { InProcessRunStartCounter } from './in-process-run-start.counter.js';
import { OpenStreams } from './open-streams.js';
import { DEFAULT_READ_LIMITS, ReadSlots } from './read-slots.js';
import { Reads } from './reads.guard.js';
import { RunStartBudget } from './run-start.budget.js';
import { RunStartCounter } from './run-start.counter.js';
import {
  ConfigurableModuleClass,
  THROTTLING_OPTIONS,
  type ThrottlingModuleOptions,
} from './throttling-module-definition.js';
import { toLimits, type ThrottlingOptions } from './throttling.options.js';

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
      useFactory: ({ counters }: ThrottlingModuleOptions) =>
        counters?.runStarts ?? new InProcessRunStartCounter(),
    },
    RunStartBudget,
    { provide: StartBudget, useExisting: RunStartBudget },
    {
      provide: ReadSlots,
      inject: [THROTTLING_OPTIONS],
      useFactory: ({ reads }: ThrottlingOptions) => new ReadSlots({ ...DEFAULT_READ_LIMITS, ...reads }),
    },
    Reads,
    // Of both, the bytes are limited for the whole process.
    ...[Uploads, Downloads].map((Transfers) => ({
      provide: Transfers,
      inject: [THROTTLING_OPTIONS, HttpAdapterHost],
      useFactory: ({ reads }: ThrottlingOptions, adapterHost: HttpAdapterHost) =>
        new Transfers(new ReadSlots({ ...DEFAULT_READ_LIMITS, ...reads, perProcess: Infinity }), adapterHost),
    })),
    {
      provide: OpenStreams,
      inject: [THROTTLING_OPTIONS],
      useFactory: (options: ThrottlingModuleOptions) => {
        const { maxOpenStreams } = toLimits(options);
        return options.counters?.openStreams(maxOpenStreams) ?? new InProcessOpenStreams(maxOpenStreams);
      },
    },
  ],
  exports: [THROTTLING_OPTIONS, RunStartBudget, StartBudget, OpenStreams, Reads, Uploads, Downloads],
})
export class ThrottlingModule extends ConfigurableModuleClass {}
