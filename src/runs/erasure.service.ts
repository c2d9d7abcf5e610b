import { Injectable } from '@nestjs/common';
import { AssistantStore } from '../agents/assistant.store.js';
import { ItemStore } from '../agents/item.store.js';
import { AppError } from '../errors.js';
import type { Principal } from '../principal.js';
import { BlobStore } from './blob.store.js';
import { ThreadService } from './thread.service.js';

/** Number of threads listed at a time. */
const PAGE = 100;

/** Erases the stored data of a person. */
@Injectable()
export class ErasureService {
  constructor(
    private readonly threads: ThreadService,
    private readonly items: ItemStore,
    private readonly assistants: AssistantStore,
    private readonly blobs: BlobStore,
  ) {}

  /**
   * Ends a person's runs and removes their threads, each with its logs, files and checkpoints. Then removes the person's uploads and assistants, and the
   * items that agents keep of the person beyond threads. Call it again if it fails in the middle. Items that a tenant shares (`store.scope: 'tenant'`) and sums of costs stay.
   *
   * @throws AppError THREAD_BUSY when a run does not end in time
   */
  async erase(person: Principal): Promise<void> {
    for (;;) {
      // Always the first page: the threads of the last one are deleted by now.
      const { items } = await this.threads.list(person, { limit: PAGE });
      if (items.length === 0) break;
      for (const { id } of items) await this.delete(person, id);
    }
    const { tenant, userId } = person;
    await this.blobs.deleteUploads(person);
    await this.assistants.deleteAll(person);
    await this.items.deleteAll({ tenant, userId });
  }

  private async delete(person: Principal, threadId: string): Promise<void> {
    try {
      await this.threads.delete(person, threadId);
    } catch (error) {
      // Another caller has deleted it in the meantime.
      if (!(error instanceof AppError && error.code === 'NOT_FOUND')) throw error;
    }
  }
}
