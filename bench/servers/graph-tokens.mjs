// The cheapest correct way to hear every token of a LangGraph agent: a callback handler that the model awaits. The stream mode
// that is made for it, `messages`, costs twice as much and loses tokens under load.
//
//   await streamTokens(prompt, onToken, signal)   runs the scripted agent without a checkpointer; resolves at its end
import { BaseCallbackHandler } from '@langchain/core/callbacks/base';
import { graph } from '../support/agent.mjs';

class Tokens extends BaseCallbackHandler {
  name = 'tokens';
  awaitHandlers = true;
  lc_prefer_streaming = true;

  constructor(onToken) {
    super();
    this.onToken = onToken;
  }

  handleLLMNewToken(token) {
    if (token !== '') this.onToken(token);
  }
}

export async function streamTokens(prompt, onToken, signal) {
  const stream = await graph.stream(
    { messages: [{ role: 'user', content: prompt }] },
    { callbacks: [new Tokens(onToken)], streamMode: ['updates', 'custom', 'tools'], subgraphs: true, signal },
  );
  for await (const _step of stream);
}
