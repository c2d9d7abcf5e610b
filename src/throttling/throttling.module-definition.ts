import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { ThrottlingOptions } from './throttling.options.js';

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN: THROTTLING_OPTIONS } =
  new ConfigurableModuleBuilder<ThrottlingOptions>({ moduleName: 'Throttling' })
    .setClassMethodName('forRoot')
    .build();
