import { Injectable } from '@nestjs/common';
import { AppError, MissingError } from '../errors.js';
import type { Principal } from '../principal.js';
import { FileService } from './file.service.js';
import type { Thread } from './run.js';
import { newId } from './run-ids.js';
import { RunService } from './run.service.js';
import { RunStore } from './run.store.js';
import { COPY_LIMITS } from './thread-copy.js';

/** Copies the conversations of a principal. */
@Injectable()
export class ThreadCopyService {
  constructor(
    private readonly runs: RunStore,
    private readonly service: RunService,
    private readonly files: FileService,
  ) {}

  /**
   * Stores a copy of a thread as a new one of the same principal: what was said and asked, its files, and what its agents remember of it. A run that goes on is
   * left out. Costs a start of the principal's budget.
   *
   * @throws AppError NOT_FOUND; RATE_LIMITED; REQUEST_TOO_LARGE if the thread is too large to be copied; FILES_FULL
   */
  async copy(principal: Principal, threadId: string): Promise<Thread> {
    const { tenant, userId } = principal;
    const giveBack = await this.service.charge(principal);
    const { maxOwnerBytes } = this.files;
    const result = await this.runs.copyThread({
      owner: { tenant, userId },
      threadId,
      key: newId(),
      ...COPY_LIMITS,
      maxOwnerBytes,
    });
    if (result.outcome === 'copied') return result.thread;
    giveBack();
    switch (result.outcome) {
      case 'no-thread':
        throw new MissingError('thread', threadId);
      case 'too-large': {
        const { maxRuns, maxBytes } = COPY_LIMITS;
        throw new AppError(
          'REQUEST_TOO_LARGE',
          `Thread '${threadId}' has more than ${maxRuns} runs or ${maxBytes / 1024 ** 2} MiB, so it cannot be copied. ` +
            'Continue from one of its runs instead: that makes a branch.',
        );
      }
      case 'full':
        throw new AppError(
          'FILES_FULL',
          'The files of the copy have no room. Delete conversations with files, and try again.',
        );
      default:
        return result satisfies never;
    }
  }
}
