import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { ThrottlingCounters, ThrottlingOptions } from './throttling.options.js';

export interface ThrottlingModuleOptions extends ThrottlingOptions {
  /** Default: counters in this process, so that each of several instances allows as much again. */
  readonly counters?: ThrottlingCounters;
}

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN: THROTTLING_OPTIONS } =
  new ConfigurableModuleBuilder<ThrottlingModuleOptions>({ moduleName: 'Throttling' })
    .setClassMethodName('forRoot')
    .build();
