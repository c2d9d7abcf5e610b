import type { BaseChatModel } from '@langchain/core/language_models/chat_models';
import type { ChatGenerationChunk } from '@langchain/core/outputs';
import { AppError } from '../../errors.js';

/**
 * Makes a streamed answer that was cut off fail. When a proxy or a dying server closes the response cleanly in the middle,
 * the OpenAI and Anthropic clients take what has come for the whole answer; but a whole answer always says why it stopped.
 *
 * @returns the same model; its stream throws `MODEL_FAILED` (retryable) when it ends without a reason
 */
export function failOnSilentCut<Model extends BaseChatModel>(model: Model): Model {
  const stream = model._streamResponseChunks.bind(model);
  model._streamResponseChunks = async function* (...call) {
    let finished = false;
    for await (const chunk of stream(...call)) {
      finished ||= saysWhyItStopped(chunk);
      yield chunk;
    }
    if (finished || call[1].signal?.aborted) return;
    throw new AppError(
      'MODEL_FAILED',
      'The answer of the model provider broke off in the middle. Try again.',
      {
        retryable: true,
      },
    );
  };
  return model;
}

/** Chat completions: `finish_reason`; Anthropic: `stop_reason`; OpenAI responses: a final `status`. */
function saysWhyItStopped({ generationInfo, message }: ChatGenerationChunk): boolean {
  const said: Readonly<Record<string, unknown>> = {
    ...generationInfo,
    ...message.additional_kwargs,
    ...message.response_metadata,
  };
  return (
    Boolean(said.finish_reason ?? said.stop_reason) ||
    said.status === 'completed' ||
    said.status === 'incomplete'
  );
}
