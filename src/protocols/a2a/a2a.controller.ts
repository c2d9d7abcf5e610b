import { Controller, HttpCode, Req, RequestMethod, Sse, UseFilters, type MessageEvent } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Observable } from 'rxjs';
import { z } from 'zod';
import { readerOf } from '../../chat/run-reader.js';
import { Endpoint } from '../../http/endpoint.decorator.js';
import type { WebRequest } from '../../http/web.exchange.js';
import type { ProtocolMapper } from '../protocol.mapper.js';
import { ProtocolStreams } from '../protocol.streams.js';
import { UnnamedFrame } from '../unnamed.frame.js';
import type { A2aUpdate } from './a2a.events.js';
import { A2aCallGuard, A2aStartThrottlerGuard, mapperOf } from './a2a.guards.js';
import { callSchema, type Call } from './a2a.input.js';
import type { A2aMapper } from './a2a.mapper.js';
import { methodOf, toV03 } from './a2a.v03.js';
import { RpcAnswerFilter } from './json-rpc.js';

const answerSchema = z
  .looseObject({ jsonrpc: z.literal('2.0'), id: z.union([z.string(), z.number(), z.null()]) })
  .meta({ id: 'A2aAnswer' });

/** The Agent2Agent protocol, versions 1.0 and 0.3, over JSON-RPC. */
@ApiTags('a2a')
@Controller()
export class A2aController {
  constructor(private readonly streams: ProtocolStreams) {}

  @Sse('', { method: RequestMethod.POST })
  @HttpCode(200)
  @UseFilters(RpcAnswerFilter)
  @Endpoint({
    summary: 'Call the agent, in A2A words',
    description:
      'SendMessage, GetTask, ListTasks and CancelTask are answered with JSON; SendStreamingMessage and SubscribeToTask with a stream. Version 0.3 has names of its own for all but ListTasks.',
    answers: { status: 200, description: 'JSON-RPC responses.', schema: answerSchema },
    accepts: callSchema,
    streams: true,
    guards: [A2aStartThrottlerGuard, A2aCallGuard],
    problems: ['RATE_LIMITED'],
  })
  call(@Req() request: WebRequest): Observable<MessageEvent> {
    const reader = readerOf(request);
    const { id: callId, method } = request.body as Call;
    const wordsOf = methodOf(method).version === '1.0' ? (update: A2aUpdate) => update : toV03;
    return this.streams.follow(request, reader, {
      mapper: fromSnapshot(mapperOf(request), reader.run.lastSeq),
      frame: (update, id) =>
        new UnnamedFrame(id, JSON.stringify({ jsonrpc: '2.0', id: callId, result: wordsOf(update) })),
    });
  }
}

/** The whole task as of the log's tail, then what changes: nothing is in both, or `append` would say it twice. */
function fromSnapshot(mapper: A2aMapper, tail: number): ProtocolMapper<A2aUpdate> {
  return (recorded) => {
    const isFirst = recorded.seq === Math.max(tail, 1);
    // A client that asks again for a task that has ended hears its end as well.
    const ends = recorded.event.type === 'end';
    if (isFirst && ends) return [{ task: mapper.task }, ...mapper.map(recorded)];
    const updates = mapper.map(recorded);
    if (isFirst) return [{ task: mapper.task }];
    return recorded.seq > tail ? updates : [];
  };
}
