import type { DynamicModule } from '@nestjs/common';
import { CursorCheck } from './run-reader.js';

/** Provides the services that every protocol needs to serve a run. */
export class StreamsModule {
  /** Each call is an instance of its own. @param imports the storage */
  static forRoot(imports: readonly DynamicModule[]): DynamicModule {
    return {
      module: StreamsModule,
      imports: [...imports],
      providers: [CursorCheck],
      exports: [CursorCheck],
    };
  }
}
