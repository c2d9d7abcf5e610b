import type { AgUiEvent, OfSubagent } from './ag-ui-events.js';

/** Text or reasoning that has begun and not ended. */
export interface OpenPart {
  readonly kind: 'text' | 'reasoning';
  readonly messageId: string;
  readonly stepId: string;
  readonly by: OfSubagent;
}

export function startPart({ kind, messageId, by }: OpenPart): AgUiEvent[] {
  if (kind === 'text') return [{ type: 'TEXT_MESSAGE_START', messageId, role: 'assistant', ...by }];
  return [
    { type: 'REASONING_START', messageId, ...by },
    { type: 'REASONING_MESSAGE_START', messageId, role: 'reasoning', ...by },
  ];
}

export function endPart({ kind, messageId }: OpenPart): AgUiEvent[] {
  if (kind === 'text') return [{ type: 'TEXT_MESSAGE_END', messageId }];
  return [
    { type: 'REASONING_MESSAGE_END', messageId },
    { type: 'REASONING_END', messageId },
  ];
}
