import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { AIMessage, AIMessageChunk, type BaseMessage } from '@langchain/core/messages';
import { END, interrupt, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { LangGraphAgent } from '../../src/agents/langgraph/index.js';
import { ChatModule } from '../../src/chat/chat.module.js';
import { PostgresStorage } from '../../src/storage/postgres/postgres.storage.js';
import { SqliteStorage } from '../../src/storage/sqlite/sqlite.storage.js';
import { StreamingModel } from './streaming.model.js';

/** Place of the data. */
export interface HookedOptions {
  readonly storage: { readonly directory: string } | { readonly url: string; readonly schema: string };
}

const WORD_MS = 25;

const listHeard = (messages: readonly BaseMessage[]) =>
  messages.filter((message) => message.getType() === 'human').map(({ text }) => text);

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

// A server for hooks, to be killed. It tells its parent its port.
const { storage } = JSON.parse(process.argv[2]!) as HookedOptions;
const app = await NestFactory.create<NestExpressApplication>(
  ChatModule.forRoot({
    auth: { kind: 'local' },
    storage: 'directory' in storage ? new SqliteStorage(storage) : new PostgresStorage(storage),
    agents: (kit) => [
      new LangGraphAgent({ ...kit, name: 'listening', description: 'Listens.', graph: graph as never }),
    ],
    protocols: {},
  }),
  { logger: false },
);
await app.listen(0, '127.0.0.1');
process.send?.((app.getHttpServer().address() as AddressInfo).port);
process.on('disconnect', () => process.exit());
