import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { findAnthropicRefusal } from './wire-anthropic.testing.js';
import { findRefusal, type WireMessage } from '../../../test/harness/wire-history.js';

/** The provider's reply to one request: these chunks, and then this end. */
export interface ScriptedReply {
  /** Each in a frame of its own, which has an `event:` where the API has one; a string is written as it is. */
  readonly chunks: readonly (object | string)[];
  /**
   * - `done`: `[DONE]` where the API has it, and the end of the response. The default.
   * - `close`: the end of the response alone.
   * - `reset`: the connection breaks.
   * - `hang`: nothing more, for as long as the client waits.
   */
  readonly end?: 'done' | 'close' | 'reset' | 'hang';
  readonly status?: number;
  /** Default: an event stream, and JSON for an error. */
  readonly type?: string;
}

export interface WireRequest {
  readonly path: string;
  readonly model: string;
  readonly tools?: readonly unknown[];
  readonly messages: readonly WireMessage[];
}

export interface ScriptedProvider {
  readonly baseUrl: string;
  /** The requests that it got, refused or not. */
  readonly requests: WireRequest[];
  /** Reasons for which it refused requests. */
  readonly refusals: string[];
  close(): Promise<void>;
}

const providers: ScriptedProvider[] = [];

/** Stops the providers that the test has started. */
export async function closeProviders(): Promise<void> {
  await Promise.all(providers.splice(0).map((provider) => provider.close()));
}

/** A script that gives these replies one after the other, and then the last one for ever. */
export function inTurn(
  replies: readonly ScriptedReply[],
  last: ScriptedReply = says('Done.'),
): (request: WireRequest, index: number) => ScriptedReply {
  return (_request, index) => replies[index] ?? last;
}

/** A request of more bytes than this is a conversation that is too long. */
const CONTEXT_BYTES = 1_000_000;

/**
 * Starts a provider of Chat Completions, Responses and Anthropic Messages on loopback. It refuses what {@link findRefusal} does and what is too
 * long, and answers everything else as the script says, byte for byte.
 *
 * @param refuse says why this provider refuses more than others do
 */
export async function startProvider(
  script: (request: WireRequest, index: number) => ScriptedReply,
  refuse: (request: WireRequest) => string | undefined = () => undefined,
): Promise<ScriptedProvider> {
  const requests: WireRequest[] = [];
  const refusals: string[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const body = Buffer.concat(parts);
      const { url: path = '' } = request;
      const asked = { ...(JSON.parse(body.toString()) as WireRequest), path };
      requests.push(asked);
      const isTooLong = body.length > CONTEXT_BYTES;
      const refusal = isTooLong
        ? 'the maximum context length is exceeded'
        : (historyRefusal(asked) ?? refuse(asked));
      if (refusal) {
        refusals.push(refusal);
        response.writeHead(400, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ error: { message: refusal, type: 'invalid_request_error' } }));
      } else play(script(asked, requests.length - 1), response, isCompletions(asked));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const provider: ScriptedProvider = {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    refusals,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  providers.push(provider);
  return provider;
}

function isCompletions({ path }: WireRequest): boolean {
  return path.endsWith('/chat/completions');
}

function historyRefusal(request: WireRequest): string | undefined {
  if (isCompletions(request)) return findRefusal(request.messages);
  return request.path.endsWith('/messages') ? findAnthropicRefusal(request.messages) : undefined;
}

function play(
  { chunks, end = 'done', status = 200, type }: ScriptedReply,
  response: ServerResponse,
  hasDone: boolean,
): void {
  const usual = status === 200 ? 'text/event-stream' : 'application/json';
  response.writeHead(status, { 'content-type': type ?? usual });
  response.flushHeaders();
  for (const chunk of chunks) {
    response.write(typeof chunk === 'string' ? chunk : toFrame(chunk));
  }
  if (end === 'done' && hasDone) response.end('data: [DONE]\n\n');
  else if (end === 'done' || end === 'close') response.end();
  else if (end === 'reset') setImmediate(() => response.destroy());
}

function toFrame(chunk: object): string {
  const event = 'type' in chunk && typeof chunk.type === 'string' ? `event: ${chunk.type}\n` : '';
  return `${event}data: ${JSON.stringify(chunk)}\n\n`;
}

let answers = 0;

/** A chunk with this delta. The answers of a real provider have ids of their own; `id` is for those that do not. */
export function delta(
  fields: object,
  finish_reason: string | null = null,
  id = `answer-${++answers}`,
): object {
  return {
    id,
    object: 'chat.completion.chunk',
    created: 1,
    model: 'scripted',
    choices: [{ index: 0, delta: { role: 'assistant', ...fields }, finish_reason }],
  };
}

/** A piece of a call. */
export function callDelta(call: {
  id?: string | null;
  name?: string;
  args?: unknown;
  index?: number;
}): object {
  const { id, name, args, index = 0 } = call;
  const called = { ...(name !== undefined && { name }), ...(args !== undefined && { arguments: args }) };
  return delta({
    tool_calls: [{ index, ...(id !== undefined && { id }), type: 'function', function: called }],
  });
}

/** A whole answer in words. */
export function says(text: string): ScriptedReply {
  return { chunks: [delta({ role: 'assistant', content: text }), delta({}, 'stop')] };
}

/** A whole answer that calls a tool. */
export function calls(id: string | null | undefined, name = 'note', args = '{"note":"x"}'): ScriptedReply {
  return { chunks: [callDelta({ ...(id !== undefined && { id }), name, args }), delta({}, 'tool_calls')] };
}
