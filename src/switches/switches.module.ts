import { ConfigurableModuleBuilder, Module } from '@nestjs/common';
import { SecurityLog } from '../security/security-log.service.js';
import type { SharedState } from '../shared-state.js';
import { SwitchService, type SwitchHints } from './switch.service.js';
import { Switches } from './switches.js';

export interface SwitchesModuleOptions {
  readonly storage: { readonly state: SharedState; readonly wakeups: SwitchHints };
}

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN: SWITCHES_OPTIONS } =
  new ConfigurableModuleBuilder<SwitchesModuleOptions>({ moduleName: 'Switches' })
    .setClassMethodName('forRoot')
    .build();

/**
 * Provides the switches that operators have set. Needs the module of the security events among its imports. `ChatLifecycle` starts
 * and stops it.
 */
@Module({
  providers: [
    Switches,
    {
      provide: SwitchService,
      inject: [SWITCHES_OPTIONS, SecurityLog, Switches],
      useFactory: ({ storage }: SwitchesModuleOptions, security: SecurityLog, switches: Switches) =>
        new SwitchService(storage.state, storage.wakeups, security, switches),
    },
  ],
  exports: [Switches, SwitchService],
})
export class SwitchesModule extends ConfigurableModuleClass {}
