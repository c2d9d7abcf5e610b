import { setTimeout as pause } from 'node:timers/promises';
import { AIMessage, AIMessageChunk, ToolMessage, type BaseMessage } from '@langchain/core/messages';
import { END, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
import { listHeard, serveGraph } from './graph-process.js';
import { StreamingModel } from './streaming.model.js';

const STEP_MS = 40;

/** Calls of tools before the answer to a question. */
const CALLS = 3;

/** Says slowly what it has heard from people. */
class ListeningModel extends StreamingModel {
  override _llmType(): string {
    return 'listening';
  }

  protected override async *speak(messages: readonly BaseMessage[]): AsyncGenerator<AIMessageChunk> {
    for (const word of ['heard', ...listHeard(messages), 'and', 'done']) {
      await pause(STEP_MS);
      yield new AIMessageChunk(`${word} `);
    }
  }
}

const model = new ListeningModel();
const countCalls = (messages: readonly BaseMessage[]) =>
  messages.filter((message) => ToolMessage.isInstance(message)).length;
// A graph that knows nothing of messages while it works.
const graph = new StateGraph(MessagesAnnotation)
  .addNode('call', ({ messages }) => {
    const id = `call-${countCalls(messages)}`;
    return { messages: [new AIMessage({ content: '', tool_calls: [{ id, name: 'work', args: {} }] })] };
  })
  .addNode('work', async ({ messages }) => {
    await pause(STEP_MS);
    return {
      messages: [new ToolMessage({ content: 'done', tool_call_id: `call-${countCalls(messages)}` })],
    };
  })
  .addNode('answer', async ({ messages }) => ({ messages: [await model.invoke(messages)] }))
  .addConditionalEdges(START, ({ messages }) => (countCalls(messages) < CALLS ? 'call' : 'answer'), [
    'call',
    'answer',
  ])
  .addEdge('call', 'work')
  .addConditionalEdges('work', ({ messages }) => (countCalls(messages) < CALLS ? 'call' : 'answer'), [
    'call',
    'answer',
  ])
  .addEdge('answer', END)
  .compile();

await serveGraph('steered', graph, {
  throttling: { startsPerMinute: 10_000 },
  limits: { maxOwners: 10 },
});
