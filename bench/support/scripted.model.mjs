// The model that every server of the benchmarks runs, so that all of them stream the same words at the same pace.
//
//   new ScriptedModel()           a LangChain chat model that only streams
//   toPrompt({ tokens, paceMs })  the user's message that asks for so many tokens at this pace: the whole script is in it
//   TOKEN_MARK                    a character that is in every token exactly once, and in nothing else that a server sends:
//                                 who counts it has counted tokens, whatever the protocol
//
// Pace 0 means no delay at all, not even a turn of the event loop: the whole answer comes in one burst of microtasks, which is
// the hardest case for the cost of a token, because nothing is waited for. A pace above 0 waits on a timer before each token.
//
// The first token says when it was said, and the last: `<micros^` with micros on the machine's monotonic clock, which all
// processes share. So a client knows how long they were under way.
import { setTimeout as sleep } from 'node:timers/promises';
import { BaseChatModel } from '@langchain/core/language_models/chat_models';
import { AIMessageChunk } from '@langchain/core/messages';
import { ChatGenerationChunk } from '@langchain/core/outputs';

export const TOKEN_MARK = '^';

/** Five characters and a space or so, as tokens of English are. */
const TOKEN = `word${TOKEN_MARK} `;

export function toPrompt({ tokens, paceMs }) {
  return `tokens=${tokens} pace=${paceMs}`;
}

export function parseScript(prompt) {
  const [, tokens, paceMs] = /tokens=(\d+) pace=(\d+)/.exec(prompt) ?? [];
  if (tokens === undefined) throw new Error(`'${prompt}' is no script.`);
  return { tokens: Number(tokens), paceMs: Number(paceMs) };
}

/** The words of a script, at its pace; for what is no LangChain model. */
export async function* streamTokens({ tokens, paceMs }, signal) {
  for (let index = 0; index < tokens; index += 1) {
    if (paceMs > 0) await sleep(paceMs, undefined, { signal });
    yield index === 0 || index === tokens - 1 ? `<${nowMicros()}${TOKEN_MARK}` : TOKEN;
  }
}

/** Microseconds on the clock that all processes of this machine share. */
export function nowMicros() {
  return Math.round(Number(process.hrtime.bigint() / 1_000n));
}

export class ScriptedModel extends BaseChatModel {
  constructor() {
    super({});
  }

  _llmType() {
    return 'scripted';
  }

  bindTools() {
    return this;
  }

  _generate() {
    throw new Error('This model only streams.');
  }

  async *_streamResponseChunks(messages, options, runManager) {
    const script = parseScript(messages.findLast((message) => message.type === 'human')?.text ?? '');
    for await (const text of streamTokens(script, options.signal)) {
      const chunk = new ChatGenerationChunk({ text, message: new AIMessageChunk({ content: text }) });
      yield chunk;
      await runManager?.handleLLMNewToken(text, undefined, undefined, undefined, undefined, { chunk });
    }
  }
}
