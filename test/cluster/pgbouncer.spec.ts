import { afterEach, describe, expect, it } from '@jest/globals';
import { createChatAgent } from '../../src/agents/langgraph/chat.agent.js';
import { formatCursor } from '../../src/events/cursor.js';
import { PostgresStorage } from '../../src/storage/postgres/postgres.storage.js';
import { PgBouncerServer } from '../harness/cluster/pgbouncer.server.js';
import { hasPgBouncer } from '../harness/cluster/pgbouncer.testing.js';
import { PostgresServer } from '../harness/cluster/postgres.server.js';
import { SeededModel } from '../harness/seeded.model.js';
import { ChatServer } from '../support/chat.server.js';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

describe('instances behind PgBouncer in transaction mode', () => {
  (hasPgBouncer(process.env) ? it : it.skip)(
    'streams the whole log of 20 runs at one instance while another executes them behind PgBouncer',
    async () => {
      const database = await PostgresServer.start();
      closing.push(() => database.stop());
      const pooler = await PgBouncerServer.start(database);
      closing.push(() => pooler.stop());
      const instance = async (worker: boolean) => {
        const server = await ChatServer.start({
          worker,
          storage: new PostgresStorage({ url: pooler.url, listenUrl: database.url }),
          agents: ({ tools, tracking, checkpointer }) => [
            createChatAgent({
              name: 'seeded',
              description: 'Answers.',
              model: new SeededModel({ seed: 1, attempt: 1 }),
              tools,
              tracking,
              checkpointer,
            }),
          ],
        });
        closing.push(() => server.close());
        return server;
      };
      const [api] = [await instance(false), await instance(true)];
      const streams = await Promise.all(
        Array.from({ length: 20 }, (_, index) => api.ask({ message: `question ${index}` })),
      );
      for (const stream of streams) {
        expect(await stream.closed()).toBe('end');
        expect(stream.events.at(-1)?.data).toMatchObject({ type: 'end', outcome: 'completed' });
        const runId = String(stream.frames[0]?.data['runId']);
        const log = await api.storage.log.read(runId, 0, 10_000);
        expect(stream.events.map(({ id }) => id)).toEqual(log.map((recorded) => formatCursor(recorded)));
      }
    },
    120_000,
  );
});
