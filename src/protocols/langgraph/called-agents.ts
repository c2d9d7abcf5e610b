import type { RecordedEvent } from '../../events/recorded-event.js';
import { isInsideCall, type Subagent } from '../../events/subagent.js';
import { Transcript } from '../transcript/transcript.js';
import type { MessageChunk } from './run-stream-chunks.js';
import { MessageChunks } from './run-stream-messages.js';

/** A message of an agent that a tool calls. */
export interface CalledPieces {
  readonly subagent: Subagent;
  readonly stepId: string;
  readonly pieces: readonly MessageChunk[];
}

/** The messages of the agents that tools call, in pieces. They are no messages of the thread, and are told under the namespace of their agent. */
export class CalledAgents {
  private readonly messages = new MessageChunks(new Transcript(true));
  /** By part or call: the agent whose it is, and its step. */
  private readonly owners = new Map<string, { readonly subagent: Subagent; readonly stepId: string }>();

  /** Returns what the event adds; undefined for one of another agent. */
  map(recorded: RecordedEvent): CalledPieces | undefined {
    const { event } = recorded;
    switch (event.type) {
      case 'step-start':
        if (event.subagent && isInsideCall(event)) this.messages.map(recorded);
        return undefined;
      case 'text-start':
      case 'reasoning-start':
      case 'file':
      case 'source':
      case 'tool-start': {
        const { subagent, stepId } = event;
        if (!subagent || !isInsideCall(event)) return undefined;
        this.owners.set('partId' in event ? event.partId : event.toolCallId, { subagent, stepId });
        return this.say(recorded);
      }
      case 'text-delta':
      case 'reasoning-delta':
      case 'text-end':
      case 'reasoning-end':
      case 'tool-end':
        return this.owners.size > 0 ? this.say(recorded) : undefined;
      default:
        return undefined;
    }
  }

  private say(recorded: RecordedEvent): CalledPieces | undefined {
    const { event } = recorded;
    const id = 'partId' in event ? event.partId : 'toolCallId' in event ? event.toolCallId : '';
    const owner = this.owners.get(id);
    return owner && { ...owner, pieces: this.messages.map(recorded) };
  }
}
