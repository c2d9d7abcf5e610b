import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { EventSource } from 'eventsource';
import type { BaseMessage } from '@langchain/core/messages';
import { schemaName } from '../../src/storage/postgres/postgres.testing.js';
import { PostgresStorage } from '../../src/storage/postgres/postgres.storage.js';
import { SqliteStorage } from '../../src/storage/sqlite/sqlite.storage.js';
import { ChatError, ChatService, foldRun, type RunView } from '../../src/client/index.js';
import { startProgram } from '../harness/program.js';
import type { GraphProcessOptions } from '../harness/graph-process.js';
import { sharedData, SHARED_KINDS } from '../support/storages.js';
import { until } from '../support/until.js';

const PROGRAM = new URL('../harness/steered.process.ts', import.meta.url);

/** The messages that people have sent to the run. */
const listHeard = (view: RunView) =>
  view.parts.flatMap((part) => (part.kind === 'person' ? [part.text] : []));

describe('messages to runs that are under way, in processes of their own', () => {
  const data = sharedData();
  const children = new Set<ChildProcess>();
  afterEach(async () => {
    await Promise.all([...children].map(kill));
  });

  async function kill(child: ChildProcess): Promise<void> {
    children.delete(child);
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  async function start(storage: GraphProcessOptions['storage']) {
    const child = startProgram(PROGRAM, JSON.stringify({ storage } satisfies GraphProcessOptions));
    children.add(child);
    const [port] = (await once(child, 'message')) as [number];
    const chat = new ChatService({ baseUrl: `http://127.0.0.1:${port}/api/chat`, EventSource });
    return { chat, kill: () => kill(child) };
  }

  const place = async (kind: (typeof SHARED_KINDS)[number]): Promise<GraphProcessOptions['storage']> =>
    kind === 'sqlite'
      ? { directory: await mkdtemp(join(data.directory, 'run-')) }
      : { url: data.url, schema: schemaName() };

  async function readState(
    storage: GraphProcessOptions['storage'],
    threadId: string,
  ): Promise<BaseMessage[]> {
    const opened = 'directory' in storage ? new SqliteStorage(storage) : new PostgresStorage(storage);
    await opened.open();
    try {
      const tuple = await opened.checkpointer.getTuple({ configurable: { thread_id: threadId } });
      return (tuple?.checkpoint.channel_values['messages'] ?? []) as BaseMessage[];
    } finally {
      await opened.close();
    }
  }

  async function readView(chat: ChatService, runId: string): Promise<RunView> {
    return foldRun(runId, (await chat.log(runId)).events);
  }

  it.each(SHARED_KINDS)(
    'are in the log and in the memory of the graph once and in their order, whenever the process is killed, on %s',
    async (kind) => {
      const storage = await place(kind);
      let server = await start(storage);
      const { runId, threadId } = await server.chat.start('question');
      const accepted: string[] = [];
      let view: RunView | undefined;
      for (let round = 0; round < 5; round += 1) {
        const text = `message-${round}`;
        try {
          await server.chat.steer(runId, text, { id: text });
          accepted.push(text);
        } catch (error) {
          if (!(error instanceof ChatError && error.code === 'RUN_CLOSED')) throw error;
          break;
        }
        // At once, before its next step, and after it was taken.
        if (round % 2 === 1) {
          const sought = accepted.length;
          await until(async () => listHeard(await readView(server.chat, runId)).length >= sought);
        }
        await server.kill();
        server = await start(storage);
        // Nothing comes of asking once more.
        await server.chat.steer(runId, text, { id: text });
      }
      await until(async () => {
        view = await readView(server.chat, runId);
        if (view.error) throw new Error(view.error.message);
        return view.status === 'completed';
      });
      expect(accepted.length).toBeGreaterThan(2);
      expect(listHeard(view!)).toEqual(accepted);
      await server.kill();
      const messages = await readState(storage, threadId);
      const heard = messages.filter((message) => message.getType() === 'human');
      expect(heard.map(({ text }) => text)).toEqual(['question', ...accepted]);
      const last = messages.at(-1)?.text ?? '';
      for (const text of accepted) expect(last).toContain(text);
      // What people see is what the graph has said.
      const said = messages
        .filter((message) => message.getType() === 'ai' && !message.id?.endsWith('-mended'))
        .flatMap(({ text }) => text || []);
      expect(view!.parts.flatMap((part) => (part.kind === 'text' ? [part.text] : []))).toEqual(said);
    },
    120_000,
  );

  it('reach fifty runs at once that another process works on, and all readers see them at their places', async () => {
    const storage = await place('postgres');
    const [worker, other] = [await start(storage), await start(storage)];
    const runs = await Promise.all(
      Array.from({ length: 50 }, (_, index) => worker.chat.start(`question-${index}`)),
    );
    const handles = runs.map(({ runId }) => other.chat.follow(runId));
    const views = handles.map(
      (run) =>
        new Promise<RunView>((resolve, reject) => {
          let last: RunView;
          run.subscribe({
            next: (snapshot) => (last = snapshot.view),
            complete: () => resolve(last),
            error: reject,
          });
        }),
    );
    await Promise.all(
      runs.map(async ({ runId }, index) => {
        for (const turn of [1, 2]) await other.chat.steer(runId, `more-${index}-${turn}`);
      }),
    );
    for (const [index, view] of (await Promise.all(views)).entries()) {
      expect(view.status).toBe('completed');
      expect(listHeard(view)).toEqual([`more-${index}-1`, `more-${index}-2`]);
      expect(view.parts.at(-1)).toMatchObject({ kind: 'text' });
      expect((view.parts.at(-1) as { text: string }).text).toContain(`more-${index}-2`);
      expect(await readView(worker.chat, view.runId)).toEqual(view);
    }
  }, 120_000);
});
