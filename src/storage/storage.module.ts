import { ConfigurableModuleBuilder, Module } from '@nestjs/common';
import { AssistantStore } from '../agents/assistant.store.js';
import { ItemStore } from '../agents/item.store.js';
import { BlobStore } from '../runs/blob.store.js';
import { EventLog } from '../runs/event-log.js';
import { Retention } from '../runs/retention.js';
import { RunStore } from '../runs/run.store.js';
import { Wakeups } from '../runs/wakeups.js';
import { Storage } from './storage.js';

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN: STORAGE_OPTIONS } = new ConfigurableModuleBuilder<{
  readonly storage: Storage;
}>({ moduleName: 'Storage' })
  .setClassMethodName('forRoot')
  .build();

/** The storage, and its parts by the names that they have where they are used. `ChatLifecycle` opens and closes it. */
@Module({
  providers: [
    {
      provide: Storage,
      inject: [STORAGE_OPTIONS],
      useFactory: ({ storage }: { storage: Storage }) => storage,
    },
    { provide: RunStore, inject: [Storage], useFactory: ({ runs }: Storage) => runs },
    { provide: EventLog, inject: [Storage], useFactory: ({ log }: Storage) => log },
    { provide: Wakeups, inject: [Storage], useFactory: ({ wakeups }: Storage) => wakeups },
    { provide: Retention, inject: [Storage], useFactory: ({ retention }: Storage) => retention },
    { provide: ItemStore, inject: [Storage], useFactory: ({ items }: Storage) => items },
    { provide: BlobStore, inject: [Storage], useFactory: ({ blobs }: Storage) => blobs },
    { provide: AssistantStore, inject: [Storage], useFactory: ({ assistants }: Storage) => assistants },
  ],
  exports: [Storage, RunStore, EventLog, Wakeups, Retention, ItemStore, BlobStore, AssistantStore],
})
export class StorageModule extends ConfigurableModuleClass {}
