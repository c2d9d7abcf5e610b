import type { BaseChatModel } from '@langchain/core/language_models/chat_models';
import type { ChatGenerationChunk } from '@langchain/core/outputs';
import { AppError } from '../../errors.js';

/**
 * Makes a streamed answer fail that was cut off or fell silent. When a proxy or a dying server closes the response cleanly in the middle,
 * clients take what has come for the whole answer; but a whole answer always says why it stopped. Changes this one instance: for models whose
 * `bindTools` keeps it.
 *
 * @returns the same model; its stream throws `MODEL_FAILED` (retryable) when it ends without a reason
 */
export function failOnSilentCut<Model extends BaseChatModel>(model: Model, silenceMs: number): Model {
  const stream = model._streamResponseChunks.bind(model);
  model._streamResponseChunks = async function* (messages, options, runManager) {
    let finished = false;
    const controller = new AbortController();
    const signals = [options.signal, controller.signal].filter((signal) => signal !== undefined);
    const chunks = stream(messages, { ...options, signal: AbortSignal.any(signals) }, runManager);
    for await (const chunk of watchSilence({ controller, chunks }, silenceMs)) {
      finished ||= hasFinishReason(chunk);
      yield chunk;
    }
    if (!finished && !options.signal?.aborted) throw createBrokenOffError();
  };
  return model;
}

/** Says that an answer was not whole. Another try may be. */
export function createBrokenOffError(): AppError {
  return new AppError('MODEL_FAILED', 'The model provider cut its answer off. Try again.', {
    retryable: true,
  });
}

type Watched<Chunk> =
  | (AsyncIterable<Chunk> & { readonly controller: AbortController })
  | { readonly controller: AbortController; readonly chunks: AsyncIterable<Chunk> };

/**
 * Passes a stream on, and gives it up when nothing comes for `silenceMs`. Bytes that are no chunk, such as comments, are silence too. Time that
 * the reader takes over a chunk does not count.
 *
 * @throws AppError MODEL_FAILED (retryable) when it fell silent
 */
export async function* watchSilence<Chunk>(
  watched: Watched<Chunk>,
  silenceMs: number,
): AsyncGenerator<Chunk> {
  const { controller } = watched;
  const chunks = 'chunks' in watched ? watched.chunks : watched;
  let isSilent = false;
  let isWaiting = true;
  const timer = setTimeout(() => {
    if (!isWaiting) {
      timer.refresh();
      return;
    }
    isSilent = true;
    controller.abort();
  }, silenceMs);
  try {
    for await (const chunk of chunks) {
      isWaiting = false;
      yield chunk;
      isWaiting = true;
      timer.refresh();
    }
  } catch (error) {
    throw isSilent ? createSilenceError() : error;
  } finally {
    clearTimeout(timer);
  }
  if (isSilent) throw createSilenceError();
}

/** Passes bytes on, and fails when none come for `silenceMs`: for clients whose stream no signal can end. */
export function failWhenSilent(
  silenceMs: number,
): TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>> {
  let timer: NodeJS.Timeout | undefined;
  const stop = () => clearTimeout(timer);
  const watch = {
    start: (controller: TransformStreamDefaultController) => {
      timer = setTimeout(() => controller.error(createSilenceError()), silenceMs).unref();
    },
    transform: (bytes: Uint8Array<ArrayBuffer>, controller: TransformStreamDefaultController) => {
      timer?.refresh();
      controller.enqueue(bytes);
    },
    flush: stop,
    cancel: stop,
  };
  return new TransformStream(watch);
}

function createSilenceError(): AppError {
  return new AppError(
    'MODEL_FAILED',
    'The model provider fell silent before its answer was complete. Try again.',
    {
      retryable: true,
    },
  );
}

/** Chat completions: `finish_reason`; Anthropic: `stop_reason`; OpenAI responses: a final `status`. */
function hasFinishReason({ generationInfo, message }: ChatGenerationChunk): boolean {
  const fields: Readonly<Record<string, unknown>> = {
    ...generationInfo,
    ...message.additional_kwargs,
    ...message.response_metadata,
  };
  return (
    Boolean(fields.finish_reason ?? fields.stop_reason) ||
    fields.status === 'completed' ||
    fields.status === 'incomplete'
  );
}
