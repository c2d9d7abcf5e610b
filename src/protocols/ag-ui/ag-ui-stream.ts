import { Injectable } from '@nestjs/common';
import { EMPTY, type Observable } from 'rxjs';
import type { Frame } from '../../http/frame.js';
import type { ProtocolMapper } from '../protocol.mapper.js';
import { ProtocolStreams, type HttpExchange } from '../protocol-streams.js';
import { UnnamedFrame } from '../unnamed-frame.js';
import type { AgUiEvent } from './ag-ui-events.js';
import type { AgUiView } from './ag-ui-run.service.js';
import { AgUiMapper } from './ag-ui.mapper.js';

/** Shows a client a run. */
@Injectable()
export class AgUiStream {
  constructor(private readonly streams: ProtocolStreams) {}

  /** @param view undefined when there is nothing to show: the stream is empty */
  follow(exchange: HttpExchange, view: AgUiView | undefined): Observable<Frame> {
    if (!view) return EMPTY;
    const { reader, joins } = view;
    const mapper = new AgUiMapper(view.run);
    return this.streams.follow(exchange, reader, {
      mapper: joins ? joining(mapper, reader.run.lastSeq) : (recorded) => mapper.map(recorded),
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
