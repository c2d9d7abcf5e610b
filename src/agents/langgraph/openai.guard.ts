import type * as OpenAi from '@langchain/openai';
import type { BaseMessage } from '@langchain/core/messages';
import { fetchWithTrace } from '../../telemetry/carry-trace.js';
import { ArrivingCalls } from './arriving-calls.js';
import { CompletionDeltas, type CompletionChoice } from './completion-delta.js';
import { GIVE_BACK, giveBack, GiveBackCollector } from './give-back.js';
import { imagesBehindResults } from './result-images.js';
import { createBrokenOffError, watchSilence } from './model-completeness.js';
import { namesFilter } from './model.errors.js';

/** Facts about a stream that only its bytes tell. */
interface StreamEnd {
  /** It said `[DONE]`. */
  isDone: boolean;
}

/** Under this name in the `RequestInit` of a request. */
const STREAM_END = 'agentStreamEnd';
/** Under this name in the options of a model call: the conversation that the request is made of. */
const SAID = 'agentSaid';

interface GuardOptions {
  readonly silenceMs: number;
}

type Completions = OpenAi.ChatOpenAICompletions;
type Responses = OpenAi.ChatOpenAIResponses;
type Request = { readonly stream?: boolean | null; readonly messages?: readonly object[] };
type Call = (request: Request, options?: object) => Promise<unknown>;

/**
 * Returns the two halves of a `ChatOpenAI`, one for each API, with a watch on what they stream. Given to the model as fields, they are in
 * every model that `bindTools` and `withConfig` make of it; a method that was changed on the model itself would not be.
 *
 * - An answer that ends without a reason and without `[DONE]` was cut off, and fails.
 * - An error that the provider reports in the stream fails the call, whatever it looks like.
 * - Refusals are words, and thoughts are thoughts, under each of the names that providers have for them.
 * - Whatever shape a gateway gives to a delta, it comes out as OpenAI's; a whole answer in place of a stream is one.
 * - Each call of an answer has an id of its own, and what came with an answer to be given back is given back.
 * - A stream that falls silent is given up.
 */
export function guardOpenAi(
  { ChatOpenAICompletions, ChatOpenAIResponses }: typeof OpenAi,
  fields: ConstructorParameters<typeof OpenAi.ChatOpenAI>[0] & object,
  options: GuardOptions,
): { readonly completions: Completions; readonly responses: Responses } {
  class GuardedCompletions extends ChatOpenAICompletions {
    /** The reason is part of the message, and not only of what is told about its last chunk. */
    override _convertCompletionsDeltaToBaseMessageChunk(
      ...[delta, response, role]: Parameters<Completions['_convertCompletionsDeltaToBaseMessageChunk']>
    ): ReturnType<Completions['_convertCompletionsDeltaToBaseMessageChunk']> {
      const chunk = super._convertCompletionsDeltaToBaseMessageChunk(delta, response, role);
      const reason = response.choices[0]?.finish_reason;
      if (reason) chunk.response_metadata = { ...chunk.response_metadata, finish_reason: reason };
      const { [GIVE_BACK]: given } = delta as { readonly [GIVE_BACK]?: object };
      if (given) chunk.additional_kwargs[GIVE_BACK] = { ...given, by: this.model };
      return chunk;
    }

    override async *_streamResponseChunks(
      ...[asked, options, runManager]: Parameters<Completions['_streamResponseChunks']>
    ): ReturnType<Completions['_streamResponseChunks']> {
      const messages = imagesBehindResults(asked);
      const withSaid = { ...options, [SAID]: messages };
      yield* super._streamResponseChunks(messages, withSaid, runManager);
    }

    override _generate(
      ...[asked, options, runManager]: Parameters<Completions['_generate']>
    ): ReturnType<Completions['_generate']> {
      const messages = imagesBehindResults(asked);
      const said = { ...options.options, [SAID]: messages };
      return super._generate(messages, { ...options, options: said }, runManager);
    }
  }
  class GuardedResponses extends ChatOpenAIResponses {}
  guard(
    GuardedCompletions.prototype,
    (chunks, end) => watchCompletion(chunks as CompletionChunks, end),
    options,
  );
  guard(GuardedResponses.prototype, (events) => watchResponse(events as ResponseEvents), options);
  return { completions: new GuardedCompletions(fields), responses: new GuardedResponses(fields) };
}

/** Returns a `fetch` that looks for the end of a stream as it passes. */
export function fetchToTheEnd(): typeof fetch {
  const send = fetchWithTrace();
  return async (input, init) => {
    const end = (init as { readonly [STREAM_END]?: StreamEnd } | undefined)?.[STREAM_END];
    const response = await send(input, init);
    if (!end || !response.ok || !response.body) return response;
    if (response.headers.get('content-type')?.startsWith('application/json')) return toStream(response);
    return new Response(response.body.pipeThrough(endFinder(end)), response);
  };
}

/** An answer, or an error, that came whole in place of a stream: the one event of a stream. Lines in it would end the event. */
async function toStream(response: Response): Promise<Response> {
  const body = (await response.text()).replaceAll(/[\r\n]+/g, ' ');
  return new Response(`data: ${body}\n\n`, { headers: { 'content-type': 'text/event-stream' } });
}

/** By prototype, because the method has one overload for each kind of answer. */
function guard(
  prototype: object,
  watch: (stream: AsyncIterable<object>, end: StreamEnd) => AsyncIterable<object>,
  { silenceMs }: GuardOptions,
): void {
  const original = (prototype as { readonly completionWithRetry: Call }).completionWithRetry;
  const guarded: Call = async function (this: unknown, asked, given = {}) {
    const { [SAID]: said = [], ...options } = given as { readonly [SAID]?: readonly BaseMessage[] };
    const { model } = this as { readonly model: string };
    const request = asked.messages ? { ...asked, messages: giveBack(asked.messages, said, model) } : asked;
    if (!request.stream) return original.call(this, request, options);
    const end: StreamEnd = { isDone: false };
    const stream = await original.call(this, request, { ...options, fetchOptions: { [STREAM_END]: end } });
    return watch(watchSilence(stream as AbortableStream, silenceMs), end);
  };
  Object.defineProperty(prototype, 'completionWithRetry', { value: guarded, configurable: true });
}

type AbortableStream = AsyncIterable<object> & { readonly controller: AbortController };

type CompletionChunks = AsyncIterable<{ choices?: CompletionChoice[] | null; error?: unknown }>;

async function* watchCompletion(chunks: CompletionChunks, end: StreamEnd): AsyncGenerator<object> {
  let reason: string | undefined;
  const deltas = new CompletionDeltas();
  const calls = new ArrivingCalls();
  const collector = new GiveBackCollector();
  for await (const chunk of untilOver(chunks, () => reason !== undefined)) {
    if (chunk.error) throw new StreamError(chunk.error);
    const choice = chunk.choices?.[0];
    if (!choice) {
      yield chunk;
      continue;
    }
    // A chunk without a delta would be passed over, with the reason in it.
    const delta = CompletionDeltas.take(choice);
    calls.hear(delta);
    collector.hear(delta, (index) => calls.idAt(index));
    deltas.write(delta, Boolean(choice.finish_reason));
    if (choice.finish_reason === 'error') throw new StreamError({});
    if (choice.finish_reason) {
      // Said twice it would become one word.
      const isFirst = reason === undefined;
      reason = choice.finish_reason;
      choice.finish_reason = isFirst ? (deltas.hasRefused ? 'refusal' : reason) : null;
    }
    yield chunk;
  }
  if (reason === undefined && !end.isDone) throw createBrokenOffError();
  const { text: content, thoughts: reasoning_content } = deltas.end();
  const { result } = collector;
  if (!result && content === '' && reasoning_content === '') return;
  const held = { content, ...(reasoning_content !== '' && { reasoning_content }) };
  const delta = { role: 'assistant', ...held, ...(result && { [GIVE_BACK]: result }) };
  yield { choices: [{ index: 0, delta }] };
}

/** Passes chunks on until the finish reason. Errors of the connection after it do not matter, because the answer is complete. */
async function* untilOver<Chunk>(
  chunks: AsyncIterable<Chunk>,
  isComplete: () => boolean,
): AsyncGenerator<Chunk> {
  try {
    yield* chunks;
  } catch (error) {
    if (!isComplete()) throw error;
  }
}

type ResponseEvents = AsyncIterable<{
  type: string;
  readonly code?: unknown;
  readonly response?: { readonly error?: unknown; incomplete_details?: object | null };
}>;

async function* watchResponse(events: ResponseEvents): AsyncGenerator<object> {
  let isFinished = false;
  let hasRefused = false;
  for await (const event of events) {
    if (event.type === 'error') throw new StreamError({ code: event.code });
    if (event.type === 'response.failed') throw new StreamError(event.response?.error);
    if (event.type === 'response.refusal.delta') {
      hasRefused = true;
      event.type = 'response.output_text.delta';
    }
    if (hasRefused && event.response) event.response.incomplete_details ??= { reason: 'refusal' };
    isFinished ||= event.type === 'response.completed' || event.type === 'response.incomplete';
    yield event;
  }
  if (!isFinished) throw createBrokenOffError();
}

/** An error that a provider reports inside a stream: its code and its kind, without its text. */
class StreamError extends Error {
  override readonly name = 'StreamError';
  readonly code: unknown;
  readonly type: string;

  constructor(error: unknown) {
    super('The provider reported an error in its stream.');
    const { code, type, message } = (typeof error === 'object' && error !== null ? error : {}) as Record<
      string,
      unknown
    >;
    this.code = code;
    const named = typeof type === 'string' ? type : 'stream_error';
    this.type = namesFilter(message) ? 'content_filter' : named;
  }
}

const DONE = Buffer.from('data: [DONE]');
const DONE_TIGHT = Buffer.from('data:[DONE]');
const LINE_FEED = 0x0a;

/** Passes bytes on as they are. `[DONE]` may be cut anywhere, and text that looks like it stands inside a line. */
function endFinder(end: StreamEnd): TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>> {
  let carried: Buffer = Buffer.from('\n');
  return new TransformStream({
    transform(chunk, controller) {
      const bytes = Buffer.concat([carried, chunk]);
      end.isDone ||= [DONE, DONE_TIGHT].some((mark) => {
        const at = bytes.lastIndexOf(mark);
        return at > 0 && bytes[at - 1] === LINE_FEED;
      });
      carried = bytes.subarray(-DONE.length - 1);
      controller.enqueue(chunk);
    },
  });
}
