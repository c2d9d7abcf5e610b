import type { RunEvent } from '../events/run-event.js';
import { isInsideCall } from '../events/subagent.js';
import type { SaidText } from './event-log.js';
import type { Run } from './run.js';
import { INDEXED_CHARACTERS } from './search-words.js';

/** The text that a run has shown so far, without what its agent has replaced, and with what people said in the middle of it. A fold of its events, of all its owners. */
export class SpokenText {
  private readonly parts = new Map<string, { readonly stepId?: string; text: string }>();

  /** Called for each token. */
  note(event: RunEvent): this {
    switch (event.type) {
      case 'text-start':
        if (!isInsideCall(event)) this.parts.set(event.partId, { stepId: event.stepId, text: '' });
        break;
      case 'text-delta': {
        const part = this.parts.get(event.partId);
        // What lies beyond is not looked for.
        if (part && part.text.length < INDEXED_CHARACTERS) part.text += event.delta;
        break;
      }
      case 'message-put':
        if (event.role && event.text !== undefined)
          this.parts.set(event.messageId, {
            text: event.text.slice(0, INDEXED_CHARACTERS),
            ...(event.stepId !== undefined && { stepId: event.stepId }),
          });
        break;
      case 'step-reset':
        for (const [partId, { stepId }] of this.parts) if (stepId === event.stepId) this.parts.delete(partId);
        break;
      default:
    }
    return this;
  }

  /** The texts of the answer, each on its own lines. */
  toString(): string {
    return Array.from(this.parts.values(), ({ text }) => text)
      .join('\n')
      .slice(0, INDEXED_CHARACTERS);
  }
}

/** Returns the text by which a run is found. */
export function toSaidText(
  { principal: { tenant, userId }, message, resumeOf }: Pick<Run, 'principal' | 'message' | 'resumeOf'>,
  answer: string,
): SaidText {
  const question = resumeOf === undefined ? message.slice(0, INDEXED_CHARACTERS) : '';
  return { owner: { tenant, userId }, question, answer };
}
