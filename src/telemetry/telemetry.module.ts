import { ConfigurableModuleBuilder, Module } from '@nestjs/common';
import { loadOtel } from './otel.js';
import { Telemetry, type ResolvedTelemetryOptions } from './telemetry.js';

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN: TELEMETRY_OPTIONS } =
  new ConfigurableModuleBuilder<ResolvedTelemetryOptions>({ moduleName: 'Telemetry' })
    .setClassMethodName('forRoot')
    .build();

/** Traces and metrics. Imported by each module that has something to measure. */
@Module({
  providers: [
    {
      provide: Telemetry,
      inject: [TELEMETRY_OPTIONS],
      useFactory: (options: ResolvedTelemetryOptions) => new Telemetry(loadOtel(), options),
    },
  ],
  exports: [Telemetry],
})
export class TelemetryModule extends ConfigurableModuleClass {}
