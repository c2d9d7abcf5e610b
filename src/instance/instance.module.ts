import type { DynamicModule, FactoryProvider } from '@nestjs/common';
import { DRAIN_MS, DrainService } from './drain.service.js';
import { Readiness } from './readiness.js';

/** Whether this process takes requests and runs, and how it stops taking them. */
export class InstanceModule {
  /** Each call is an instance of its own. @param imports the storage, the runs, and the streams */
  static with(
    imports: readonly DynamicModule[],
    drainMs: Pick<FactoryProvider<number>, 'inject' | 'useFactory'>,
  ): DynamicModule {
    return {
      module: InstanceModule,
      imports: [...imports],
      providers: [Readiness, DrainService, { provide: DRAIN_MS, ...drainMs }],
      exports: [Readiness, DrainService],
    };
  }
}
