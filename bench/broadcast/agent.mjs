// Our side: a graph whose only step says what its parent tells it, for as long as the process lives.
//
//   graph   for AGENTS=broadcast=bench/broadcast/agent.mjs#graph
import { Annotation, END, START, StateGraph } from '@langchain/langgraph';
import { onSpeech } from './speech.mjs';

const State = Annotation.Root({ messages: Annotation() });

export const graph = new StateGraph(State)
  .addNode('speak', (_state, { writer }) => {
    onSpeech((events) => events.forEach(({ data }) => writer({ name: data.name, data: data.data })));
    return new Promise(() => {});
  })
  .addEdge(START, 'speak')
  .addEdge('speak', END)
  .compile();
