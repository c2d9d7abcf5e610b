import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { AIMessage, AIMessageChunk, ToolMessage, type BaseMessage } from '@langchain/core/messages';
import { END, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { LangGraphAgent } from '../../src/agents/langgraph/index.js';
import { ChatModule } from '../../src/chat/chat.module.js';
import { PostgresStorage } from '../../src/storage/postgres/postgres.storage.js';
import { SqliteStorage } from '../../src/storage/sqlite/sqlite.storage.js';
import { StreamingModel } from './streaming.model.js';

/** Place of the data. */
export interface SteeredOptions {
  readonly storage: { readonly directory: string } | { readonly url: string; readonly schema: string };
}

const STEP_MS = 40;

/** Calls of tools before the answer to a question. */
const CALLS = 3;

const listHeard = (messages: readonly BaseMessage[]) =>
  messages.filter((message) => message.getType() === 'human').map(({ text }) => text);

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

// A server whose runs are steered, to be killed. It tells its parent its port.
const { storage } = JSON.parse(process.argv[2]!) as SteeredOptions;
const app = await NestFactory.create<NestExpressApplication>(
  ChatModule.forRoot({
    auth: { kind: 'local' },
    throttling: { startsPerMinute: 10_000 },
    limits: { maxOwners: 10 },
    storage: 'directory' in storage ? new SqliteStorage(storage) : new PostgresStorage(storage),
    agents: (kit) => [
      new LangGraphAgent({ ...kit, name: 'steered', description: 'Listens.', graph: graph as never }),
    ],
  }),
  { logger: false },
);
await app.listen(0, '127.0.0.1');
process.send?.((app.getHttpServer().address() as AddressInfo).port);
process.on('disconnect', () => process.exit());
