import { Controller, HttpCode, Post, Req, Res } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { getAuthentication } from '../../auth/authentication.js';
import { AppError } from '../../errors.js';
import { Endpoint } from '../../http/endpoint.decorator.js';
import { describeRefused, toSecurityEvent } from '../../http/refusals.js';
import { replyWithEventStream } from '../../http/reply-with-event-stream.js';
import { replyWithJson } from '../../http/reply-with-json.js';
import { SseStreams } from '../../http/sse-streams.js';
import type { WebRequest, WebResponse } from '../../http/http.types.js';
import type { Run } from '../../runs/run.js';
import { SecurityLog } from '../../security/security-log.service.js';
import { readFromStart } from '../../streams/run-reader.js';
import type { ProtocolMapper } from '../protocol.mapper.js';
import { ProtocolStreams, type HttpExchange } from '../protocol-streams.js';
import { UnnamedFrame } from '../unnamed-frame.js';
import { A2aCalls, type A2aReply } from './a2a-call.service.js';
import { A2aReadsGuard } from './a2a-reads.guard.js';
import { A2aStartThrottlerGuard } from './a2a-start-throttler.guard.js';
import type { A2aUpdate } from './a2a-events.js';
import { callSchema, type Call } from './a2a-input.js';
import type { A2aMapper } from './a2a.mapper.js';
import { A2aTasks } from './a2a-tasks.js';
import { parseMethod, toV03 } from './a2a-v03.js';
import { RpcError, toRpcRefusal, toRpcResult } from './json-rpc.js';

const answerSchema = z
  .looseObject({ jsonrpc: z.literal('2.0'), id: z.union([z.string(), z.number(), z.null()]) })
  .meta({ id: 'A2aAnswer' });

/** The Agent2Agent protocol, versions 1.0 and 0.3, over JSON-RPC. */
@ApiTags('a2a')
@Controller()
export class A2aController {
  constructor(
    private readonly calls: A2aCalls,
    private readonly tasks: A2aTasks,
    private readonly protocol: ProtocolStreams,
    private readonly streams: SseStreams,
    private readonly adapter: HttpAdapterHost,
    private readonly security: SecurityLog,
  ) {}

  @Post()
  @HttpCode(200)
  @Endpoint({
    summary: 'Call the agent by A2A JSON-RPC',
    description:
      'SendMessage, GetTask, ListTasks and CancelTask are answered with JSON; SendStreamingMessage and SubscribeToTask with a stream. Version 0.3 has names of its own for all but ListTasks.',
    reply: { status: 200, description: 'JSON-RPC responses.', schema: answerSchema },
    accepts: callSchema,
    streams: true,
    guards: [A2aStartThrottlerGuard, A2aReadsGuard],
    problems: ['RATE_LIMITED'],
  })
  async call(@Req() request: WebRequest, @Res() response: WebResponse): Promise<void> {
    const parsed = callSchema.safeParse(request.body);
    if (!parsed.success) {
      const error = new RpcError('INVALID_REQUEST', 'This is not a JSON-RPC 2.0 call.');
      return replyWithJson(this.adapter, response, toRpcRefusal(null, error));
    }
    const call = parsed.data;
    let reply: A2aReply;
    try {
      reply = await this.calls.execute(
        getAuthentication(request).principal,
        call,
        request.headers['a2a-version'],
      );
    } catch (error) {
      // A limit is HTTP's to say, with the time to come back.
      if (error instanceof AppError && error.code === 'RATE_LIMITED') throw error;
      const reply = toRpcRefusal(call.id, error);
      const refusal = toSecurityEvent(error, { ...describeRefused(request), subject: `A2A ${call.method}` });
      if (refusal) this.security.record(refusal);
      return replyWithJson(this.adapter, response, reply);
    }
    if ('result' in reply) return replyWithJson(this.adapter, response, toRpcResult(call.id, reply.result));
    await this.stream({ request, response }, call, reply.run);
  }

  private async stream(exchange: HttpExchange, { id: callId, method }: Call, run: Run): Promise<void> {
    const mapper = await this.tasks.createMapper(run);
    const inWords = parseMethod(method).version === '1.0' ? (update: A2aUpdate) => update : toV03;
    const frames = this.protocol.follow(exchange, readFromStart(run), {
      mapper: fromSnapshot(mapper, run.lastSeq),
      frame: (update, id) => new UnnamedFrame(id, JSON.stringify(toRpcResult(callId, inWords(update)))),
    });
    await replyWithEventStream(this.streams, exchange.response, frames);
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
