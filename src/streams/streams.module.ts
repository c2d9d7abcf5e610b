import type { DynamicModule, FactoryProvider } from '@nestjs/common';
import { FileAddresses } from './file-addresses.js';
import { CursorCheck } from './run-reader.js';

/** Provides the services that every protocol needs to serve a run. */
export class StreamsModule {
  /**
   * Returns a new instance of the module with each call.
   *
   * @param imports the storage, and what `files` needs
   * @param files makes the URL of the route that serves files
   */
  static forRoot(
    imports: readonly DynamicModule[],
    files: Pick<FactoryProvider<string>, 'inject' | 'useFactory'>,
  ): DynamicModule {
    return {
      module: StreamsModule,
      imports: [...imports],
      providers: [
        CursorCheck,
        {
          provide: FileAddresses,
          inject: files.inject ?? [],
          useFactory: async (...from: unknown[]) => new FileAddresses(await files.useFactory(...from)),
        },
      ],
      exports: [CursorCheck, FileAddresses],
    };
  }
}
