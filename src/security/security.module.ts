import { Module, type DynamicModule, type InjectionToken, type ModuleMetadata } from '@nestjs/common';
import type { SecurityListener } from './security-event.js';
import { SECURITY_LISTENER, SecurityLog } from './security-log.service.js';

/**
 * Provides the log of security events. Imported by each module that has some to tell: as what `listenedToBy` returns, so that the
 * host hears of them too.
 */
@Module({ providers: [SecurityLog], exports: [SecurityLog] })
export class SecurityModule {
  /** @param options how the host's listener is found; a factory that returns none is fine */
  static withListener(
    options: Pick<ModuleMetadata, 'imports'> & {
      readonly inject: readonly InjectionToken[];
      readonly useFactory: (...injected: never[]) => SecurityListener | undefined;
    },
  ): DynamicModule {
    const { imports = [], inject, useFactory } = options;
    return {
      module: SecurityModule,
      imports,
      providers: [
        {
          provide: SECURITY_LISTENER,
          inject: [...inject],
          useFactory: (...injected: never[]) => useFactory(...injected) ?? null,
        },
      ],
    };
  }
}
