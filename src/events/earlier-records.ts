import type { RequestedInput } from './requested-input.js';
import type { RunEvent } from './run-event.js';

/**
 * Reads a stored event of this or an earlier version. They knew approvals only: `approval-request` and `approval-answer` are the
 * `input-request` and `input-answer` of the kind `approval`, and `awaiting-approval` is `awaiting-input`.
 */
export function readEvent(stored: object): RunEvent {
  const event = stored as Record<string, unknown> & { readonly type: string };
  switch (event.type) {
    case 'approval-request':
      return { ...upgradeRequest(event), type: 'input-request' } as RunEvent;
    case 'approval-answer':
      return { ...upgradeRequest(event), type: 'input-answer' } as RunEvent;
    case 'end':
      return { ...event, outcome: readStatus(String(event['outcome'])) } as RunEvent;
    default:
      return event as unknown as RunEvent;
  }
}

/** The status in a run's record. One that begins later is stored as `delayed`, so that it is not among those that wait for an owner. */
export function readStatus(stored: string): string {
  if (stored === 'delayed') return 'pending';
  return stored === 'awaiting-approval' ? 'awaiting-input' : stored;
}

/** Lists the stored statuses of runs with these statuses. */
export function listStored(statuses: readonly string[]): string[] {
  return [...statuses, ...(statuses.includes('pending') ? ['delayed'] : [])];
}

/** The inputs in a run's record, which are stored as JSON. */
export function readInputs(stored: string): RequestedInput[] {
  return (JSON.parse(stored) as Record<string, unknown>[]).map(upgradeRequest) as unknown as RequestedInput[];
}

function upgradeRequest(stored: Record<string, unknown>): Record<string, unknown> {
  if (!('approvalId' in stored)) return stored;
  const { approvalId, ...rest } = stored;
  return { ...rest, kind: 'approval', inputId: approvalId };
}
