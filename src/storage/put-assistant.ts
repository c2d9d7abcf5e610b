import type { StoredAssistant } from '../agents/assistant.store.js';

/** Decides on a state of an assistant, by the one that is stored and the number of the owner's assistants. */
export function decidePut(
  next: Pick<StoredAssistant, 'revision' | 'document'>,
  stored: Pick<StoredAssistant, 'revision' | 'document'> | undefined,
  room: { readonly count: number; readonly maxAssistants: number },
): 'insert' | 'update' | 'stored' | 'conflict' | 'full' {
  if (stored?.revision === next.revision && stored.document === next.document) return 'stored';
  if ((stored?.revision ?? 0) + 1 !== next.revision) return 'conflict';
  if (stored) return 'update';
  return room.count >= room.maxAssistants ? 'full' : 'insert';
}
