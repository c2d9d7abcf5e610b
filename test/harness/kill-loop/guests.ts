import { setTimeout as sleep } from 'node:timers/promises';
import { AIMessage } from '@langchain/core/messages';
import { END, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
import { between, randomFrom, toSeed } from '../../../src/testing/random.js';

/** Longer than a lease lasts. */
const BLOCK_MS = 5_000;

/** Time that the poison works for, so that runs beside it get somewhere. */
const POISON_MS = { least: 100, most: 1_000 };

/** A graph that ends its process, each time. It announces it, so that whoever reads knows why a stream was cut. */
export function createPoison(seed: number, life: number) {
  return createGraph(async () => {
    await sleep(between(randomFrom(toSeed(seed, 'poison', life)), POISON_MS.least, POISON_MS.most));
    process.send?.({ dying: true }, () => process.exit(7));
    await new Promise(() => undefined);
  });
}

/** A graph that lets nothing else in its process happen for longer than a lease lasts. */
export function createBlock() {
  return createGraph(async () => {
    const until = performance.now() + BLOCK_MS;
    while (performance.now() < until);
  });
}

function createGraph(act: () => Promise<void>) {
  return new StateGraph(MessagesAnnotation)
    .addNode('act', async () => {
      await act();
      return { messages: [new AIMessage('Done.')] };
    })
    .addEdge(START, 'act')
    .addEdge('act', END)
    .compile();
}
