import { afterEach, describe, expect, it } from '@jest/globals';
import { createChatAgent } from '../../src/agents/langgraph/chat.agent.js';
import { PostgresStorage } from '../../src/storage/postgres/postgres.storage.js';
import { PostgresServer } from '../harness/cluster/postgres.server.js';
import { SeededModel } from '../harness/seeded.model.js';
import { ChatServer, gate } from '../support/chat.server.js';

let close: () => Promise<void> = async () => undefined;
afterEach(() => close());

describe('database outage longer than a request waits', () => {
  it('continues a run from its checkpoint once a database is back that was away longer than a request waits', async () => {
    const database = await PostgresServer.start();
    // A request gives up at once; what is said of it could be appended when the database is back.
    const storage = new PostgresStorage({ url: database.url, requestPatienceMs: 100 });
    const [begun, away, left] = [gate(), gate(), gate()];
    const attempts: Promise<void>[] = [];
    const server = await ChatServer.start({
      storage,
      agents: ({ tools, tracking, checkpointer }) => [
        createChatAgent({
          name: 'seeded',
          description: 'Answers.',
          model: new SeededModel({ seed: 1, attempt: 1, tools: [] }),
          tools,
          tracking,
          checkpointer,
        }),
      ],
      hooks: {
        aroundRun: async ({ message }, work) => {
          if (message === 'earlier') return work();
          begun.open();
          await away.opened;
          const attempt = work();
          attempts.push(attempt);
          await attempt.finally(left.open);
        },
      },
    });
    close = async () => {
      await server.close();
      await database.stop();
    };

    // In a new thread there would be nothing to remember, and the agent would not look.
    const { threadId, runId: earlier } = await server.startRun({ message: 'earlier' });
    await (await server.watch(earlier)).closed();
    const { runId } = await server.startRun({ message: 'hello', threadId });
    await begun.opened;
    // Its first word is stored, or the next owner would have nothing to resume.
    await (await server.watch(runId)).frame('run-start');
    await database.kill();
    away.open();
    await left.opened;
    await expect(attempts[0]).rejects.toMatchObject({ code: 'STORAGE_FAILED', retryable: true });
    await database.restart();

    const stream = await server.watch(runId);
    await stream.closed();
    const types = stream.events.map(({ event }) => event);
    // What the first owner said last may have been on its way already, and arrive when the database is back.
    expect(types.filter((type) => type === 'run-resume')).toHaveLength(1);
    expect(types.filter((type) => type === 'step-reset')).toHaveLength(
      types.slice(0, types.indexOf('run-resume')).filter((type) => type === 'step-start').length,
    );
    expect(stream.events.at(-1)?.data).toMatchObject({ type: 'end', outcome: 'completed' });
    expect(attempts).toHaveLength(2);
  });
});
