import { ConfigurableModuleBuilder, Module } from '@nestjs/common';
import { Telemetry } from '../telemetry/telemetry.js';
import { BodyBytes } from './body-bytes.js';
import { ErrorListener } from './error-listener.js';
import { OpenReplies } from './switched-off.guard.js';
import { DEFAULT_SSE_OPTIONS, SseStreams } from './sse-streams.js';

export interface HttpModuleOptions {
  /** As {@link SseOptions.heartbeatMs}. */
  readonly heartbeatMs?: number;
  readonly hooks?: { onError?(error: unknown, request: object): void | Promise<void> };
}

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN: HTTP_OPTIONS } =
  new ConfigurableModuleBuilder<HttpModuleOptions>({ moduleName: 'Http' })
    .setClassMethodName('forRoot')
    .build();

/** The streams and answers that this process has open, whatever their protocol. Needs the modules of the switches and the telemetry among its imports. */
@Module({
  providers: [
    BodyBytes,
    OpenReplies,
    {
      provide: ErrorListener,
      inject: [HTTP_OPTIONS],
      useFactory: ({ hooks }: HttpModuleOptions) => new ErrorListener(hooks?.onError?.bind(hooks)),
    },
    {
      provide: SseStreams,
      inject: [HTTP_OPTIONS, Telemetry],
      useFactory: (
        { heartbeatMs = DEFAULT_SSE_OPTIONS.heartbeatMs }: HttpModuleOptions,
        { metrics }: Telemetry,
      ) => new SseStreams({ ...DEFAULT_SSE_OPTIONS, heartbeatMs }, metrics),
    },
  ],
  exports: [SseStreams, OpenReplies, ErrorListener, BodyBytes],
})
export class HttpModule extends ConfigurableModuleClass {}
