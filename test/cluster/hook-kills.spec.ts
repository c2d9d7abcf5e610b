import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { BaseMessage } from '@langchain/core/messages';
import { Client } from '@langchain/langgraph-sdk';
import { schemaName } from '../../src/storage/postgres/postgres.testing.js';
import { PostgresStorage } from '../../src/storage/postgres/postgres.storage.js';
import { SqliteStorage } from '../../src/storage/sqlite/sqlite.storage.js';
import type { GraphProcessOptions } from '../harness/graph-process.js';
import { startProgram } from '../harness/program.js';
import { getSnapshot, langGraphHooks, shows, type Hook } from '../protocols/langgraph-hooks.js';
import { faultProxies } from '../support/fault-proxies.js';
import { sharedData, SHARED_KINDS } from '../support/storages.js';

const PROGRAM = new URL('../harness/hooked.process.ts', import.meta.url);
const DONE = `${'and '.repeat(12)}done`;
const human = (content: string) => ({ messages: [{ type: 'human', content }] });
const listTexts = (hook: Hook) => getSnapshot(hook).messages.map(({ text }) => text);

describe("LangGraph's hook, and kill -9", () => {
  const data = sharedData();
  const createHook = langGraphHooks();
  const startProxy = faultProxies();
  let child: ChildProcess | undefined;
  afterEach(() => kill());

  async function kill(): Promise<void> {
    const killed = child;
    child = undefined;
    if (!killed || killed.exitCode !== null || killed.signalCode !== null) return;
    const gone = once(killed, 'exit');
    killed.kill('SIGKILL');
    await gone;
  }

  it.each(SHARED_KINDS)(
    'end with the state of the checkpoint, in answers, at a question, after it, and in a fork, on %s',
    async (kind) => {
      const storage: GraphProcessOptions['storage'] =
        kind === 'sqlite'
          ? { directory: await mkdtemp(join(data.directory, 'run-')) }
          : { url: data.url, schema: schemaName() };
      const server = { port: 0 };
      const restart = async () => {
        await kill();
        child = startProgram(PROGRAM, JSON.stringify({ storage } satisfies GraphProcessOptions));
        const [port] = (await once(child, 'message')) as [number];
        server.port = port;
      };
      await restart();
      // The address stays: what is behind it does not.
      const proxy = await startProxy(server);
      const client = new Client({
        apiUrl: `${proxy.origin}/protocols/langgraph`,
        apiKey: null,
        callerOptions: { maxRetries: 6 },
      });
      const hook = createHook({
        client,
        assistantId: 'listening',
        threadId: null,
        maxReconnectAttempts: 60,
        reconnectDelayMs: () => 500,
      });
      const isIdle = () => !getSnapshot(hook).isLoading;
      const isSpeaking = () => {
        const last = listTexts(hook).at(-1) ?? '';
        return last.includes(', and') && !last.endsWith('done');
      };
      /** Kills the server in the middle of an answer. */
      const dieSpeaking = async () => {
        await shows(hook, isSpeaking);
        await restart();
      };

      const first = hook.submit(human('one'));
      await dieSpeaking();
      await first;
      await shows(hook, () => isIdle() && listTexts(hook).at(-1) === `heard one, ${DONE}`);

      const second = hook.submit(human('ask two'));
      await dieSpeaking();
      await second;
      await shows(hook, () => getSnapshot(hook).interrupts.length === 1);
      await restart();
      const question = getSnapshot(hook).messages.find(({ text }) => text === 'ask two');
      await hook.respond('yes');
      await shows(hook, () => isIdle() && listTexts(hook).at(-1) === 'You said yes.');
      expect(listTexts(hook)).toEqual([
        'one',
        `heard one, ${DONE}`,
        'ask two',
        `heard one, ask two, ${DONE}`,
        'You said yes.',
      ]);

      const known = hook.messageMetadataStore.getSnapshot().get(question?.id ?? '');
      const fork = hook.submit(human('else'), { forkFrom: known?.parentCheckpointId ?? '' });
      await dieSpeaking();
      await fork;
      const texts = ['one', `heard one, ${DONE}`, 'else', `heard one, else, ${DONE}`];
      await shows(hook, () => isIdle() && listTexts(hook).at(-1) === texts.at(-1));
      expect(listTexts(hook)).toEqual(texts);
      await kill();
      expect(await readCheckpoint(storage)).toEqual(texts);
    },
  );
});

/** Returns the texts in the newest checkpoint of the only thread. */
async function readCheckpoint(place: GraphProcessOptions['storage']): Promise<string[]> {
  const storage = 'directory' in place ? new SqliteStorage(place) : new PostgresStorage(place);
  await storage.open();
  try {
    const [run] = (await storage.runs.findRuns({}, { limit: 1 })).items;
    const thread = { thread_id: run?.threadKey, checkpoint_ns: '' };
    const tuple = await storage.checkpointer.getTuple({ configurable: thread });
    const messages = tuple?.checkpoint.channel_values['messages'] as readonly BaseMessage[] | undefined;
    return (messages ?? []).map(({ text }) => text);
  } finally {
    await storage.close();
  }
}
