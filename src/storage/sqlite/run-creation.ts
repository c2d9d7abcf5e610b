import { listFileIds } from '../../runs/new-run.js';
import { createTitle } from '../../runs/run.js';
import type { NewRun } from '../../runs/run.store.js';
import { epochStep } from '../epoch.js';
import { toNewRunColumns } from '../run-rows.js';
import type { CreateRun } from './worker/run-operations.js';

export function toCreateRun(run: NewRun, now: number): CreateRun {
  const { thread, threadId, whenBusy, whenAwaiting, parentId, delayMs, maxDelayed, owner } = run;
  return {
    run: { ...toNewRunColumns(run), threadId, now },
    title: createTitle(run),
    thread,
    whenBusy,
    whenAwaiting,
    fileIds: listFileIds(run),
    ...(parentId !== undefined && { parentId }),
    ...(delayMs !== undefined && { delayMs }),
    ...(maxDelayed !== undefined && { maxDelayed }),
    ...(owner && {
      owner: {
        ownerId: owner.ownerId,
        leaseUntil: now + owner.leaseMs,
        epoch: epochStep(),
        ...(owner.maxRunsPerPrincipal !== undefined && { maxRunsPerPrincipal: owner.maxRunsPerPrincipal }),
      },
    }),
  };
}
