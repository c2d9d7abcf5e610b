import { setTimeout as pause } from 'node:timers/promises';
import { AIMessage, AIMessageChunk, type BaseMessage } from '@langchain/core/messages';
import { END, interrupt, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
import { listHeard, serveGraph } from './graph-process.js';
import { StreamingModel } from './streaming.model.js';

const WORD_MS = 25;

/** Says slowly which questions it has heard, and in the end how many. */
class ListeningModel extends StreamingModel {
  override _llmType(): string {
    return 'listening';
  }

  protected override async *speak(messages: readonly BaseMessage[]): AsyncGenerator<AIMessageChunk> {
    const heard = listHeard(messages);
    for (const word of [
      'heard ',
      ...heard.map((each) => `${each}, `),
      ...Array<string>(12).fill('and '),
      'done',
    ]) {
      await pause(WORD_MS);
      yield new AIMessageChunk(word);
    }
  }
}

const model = new ListeningModel();
// A subgraph speaks. What begins with `ask` is confirmed by a person.
const speaker = new StateGraph(MessagesAnnotation)
  .addNode('speak', async ({ messages }) => ({ messages: [await model.invoke(messages)] }))
  .addEdge(START, 'speak')
  .addEdge('speak', END)
  .compile();
const graph = new StateGraph(MessagesAnnotation)
  .addNode('speaker', speaker)
  .addNode('confirm', ({ messages }) => {
    const answer = interrupt<string, string>(`Sure of ${listHeard(messages).at(-1) ?? ''}?`);
    return { messages: [new AIMessage(`You said ${answer}.`)] };
  })
  .addEdge(START, 'speaker')
  .addConditionalEdges(
    'speaker',
    ({ messages }) => (listHeard(messages).at(-1)?.startsWith('ask') ? 'confirm' : END),
    ['confirm', END],
  )
  .addEdge('confirm', END)
  .compile();

await serveGraph('listening', graph, { protocols: {} });
