import { Injectable } from '@nestjs/common';
import { EMPTY, type Observable } from 'rxjs';
import { readerOf } from '../../chat/run-reader.js';
import type { Frame } from '../../http/frame.js';
import type { WebRequest } from '../../http/web.exchange.js';
import type { ProtocolMapper } from '../protocol.mapper.js';
import { ProtocolStreams } from '../protocol.streams.js';
import { UnnamedFrame } from '../unnamed.frame.js';
import type { AgUiEvent } from './ag-ui.events.js';
import { viewingOf } from './ag-ui.guards.js';
import { AgUiMapper } from './ag-ui.mapper.js';

/** Shows a client the run that its guard has found. */
@Injectable()
export class AgUiStream {
  constructor(private readonly streams: ProtocolStreams) {}

  /** Empty when the guard has found nothing to show. */
  follow(request: WebRequest): Observable<Frame> {
    const viewing = viewingOf(request);
    if (!viewing) return EMPTY;
    const reader = readerOf(request);
    const mapper = new AgUiMapper(viewing.run);
    return this.streams.follow(request, reader, {
      mapper: viewing.joins ? joining(mapper, reader.run.lastSeq) : (recorded) => mapper.map(recorded),
      frame: framesWithoutRepeatedIds(),
    });
  }
}

/** Silent up to the log's tail, where the client joins; there it hears what it has missed, and from there on everything. */
function joining(mapper: AgUiMapper, tail: number): ProtocolMapper<AgUiEvent> {
  let joined = false;
  return (recorded) => {
    if (joined) return mapper.map(recorded);
    joined = recorded.seq >= tail;
    // The end stands for itself: what it closes has to be open.
    if (recorded.event.type === 'end') return [...mapper.catchUp(), ...mapper.map(recorded)];
    mapper.map(recorded);
    return joined ? mapper.catchUp() : [];
  };
}

/** TanStack AI comes back with the last id, and drops a frame whose id it has seen: so no id is said twice. */
function framesWithoutRepeatedIds(): (event: AgUiEvent, id: string) => Frame {
  let said: string | undefined;
  return (event, id) => {
    const data = JSON.stringify(event);
    const frame = id === said ? new IdlessFrame(id, data) : new UnnamedFrame(id, data);
    said = id;
    return frame;
  };
}

class IdlessFrame extends UnnamedFrame {
  override get text(): string {
    return `data: ${this.data}\n\n`;
  }
}
