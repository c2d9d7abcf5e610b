import { AIMessage, type BaseMessage } from '@langchain/core/messages';

/** The longest id that a provider is known to take. */
const MAX_ID_LENGTH = 64;

/** Mints ids in the form of the strictest provider: nine letters and digits. */
export class CallIds {
  private readonly usedIds = new Set<string>();
  private readonly knownIds = new Set<string>();
  private minted = 0;

  constructor(messages: readonly BaseMessage[]) {
    for (const message of messages) {
      if (!AIMessage.isInstance(message)) continue;
      for (const { id } of message.tool_calls ?? []) if (id) this.knownIds.add(id);
    }
  }

  /** Returns the id, or another one when it is taken or cannot be used. */
  take(id: string | null | undefined): string {
    const usable = typeof id === 'string' && id !== '' && id.length <= MAX_ID_LENGTH && !this.usedIds.has(id);
    const callId = usable && id.isWellFormed() ? id : this.mint();
    this.usedIds.add(callId);
    return callId;
  }

  private mint(): string {
    for (;;) {
      const id = `call${(++this.minted).toString(36).padStart(5, '0')}`;
      if (!this.knownIds.has(id) && !this.usedIds.has(id)) return id;
    }
  }
}
