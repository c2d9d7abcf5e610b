import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { PostgresServer, type SharedPostgres } from '../../../test/harness/cluster/postgres.server.js';
import { ADA } from '../../runs/run.testing.js';
import { MemoryStorage } from '../../storage/memory/memory.storage.js';
import { schemaName } from '../../storage/postgres/postgres.testing.js';
import { PostgresStorage } from '../../storage/postgres/postgres.storage.js';
import { SqliteStorage } from '../../storage/sqlite/sqlite.storage.js';
import type { Storage } from '../../storage/storage.js';
import { createModel } from './model.factory.js';
import {
  conversation,
  isLeftAt,
  listReplies,
  misbehavingTools,
  refuseForbidden,
  type Turn,
} from './misbehaviour.testing.js';
import {
  says,
  startProvider,
  type ScriptedProvider,
  type ScriptedReply,
  type WireRequest,
} from './scripted-provider.testing.js';
import { chat, closeStacks, getEnd, reached, stackWith, type Stack } from './langgraph-stack.testing.js';

/** `RUINED_THREADS=50000` for a long night. */
const CASES = Number(process.env['RUINED_THREADS'] ?? 2_000);
/** The same conversations again, and of them one alone: `RUINED_SEED=… RUINED_CASE=…`, as a failure names them. */
const SEED = Number(process.env['RUINED_SEED'] ?? Date.now() % 2 ** 31);
const ONLY = process.env['RUINED_CASE'];

/** Conversations at a time, all in one process. */
const AT_ONCE = 50;
const PLAIN = 'Are you there?';

describe('a thread', () => {
  const providers: ScriptedProvider[] = [];
  const storages: Storage[] = [];
  let server: SharedPostgres | undefined;
  afterEach(async () => {
    await closeStacks();
    await Promise.all(providers.splice(0).map((provider) => provider.close()));
    await Promise.all(storages.splice(0).map((storage) => storage.close()));
  });
  afterAll(() => server?.stop());

  it.each<[string, number, () => Promise<Storage>]>([
    ['in memory', CASES, async () => new MemoryStorage()],
    ['in SQLite', CASES / 20, async () => new SqliteStorage({ directory: ':memory:' })],
    [
      'in PostgreSQL',
      CASES / 20,
      async () => {
        server ??= await PostgresServer.shared();
        return new PostgresStorage({ url: server.url, schema: schemaName() });
      },
    ],
  ])(
    '%s goes on after anything that a model, a tool or a person has done to it',
    async (_name, cases, make) => {
      const storage = await make();
      storages.push(storage);
      await storage.open();
      const scripts = new Map<string, ScriptedReply[]>();
      const provider = await startProvider((request) => reply(request, scripts));
      providers.push(provider);
      const { baseUrl } = provider;
      const model = await createModel('openai:scripted', { baseUrl, timeoutMs: 60_000, maxRetries: 0 });
      const stack = await stackWith(chat(model, { toolResultMaxBytes: 10_000 }), {
        tools: misbehavingTools,
        storage,
      });

      const all = [...fc.sample(conversation, { numRuns: cases, seed: SEED }).entries()];
      const waiting = ONLY === undefined ? all : all.slice(Number(ONLY), Number(ONLY) + 1);
      const failures: string[] = [];
      const converse = async () => {
        for (let next = waiting.shift(); next && failures.length < 5; next = waiting.shift()) {
          const [index, turns] = next;
          const verdict = await play({ stack, scripts, provider, name: `#${index}#` }, turns);
          if (verdict !== undefined) {
            failures.push(`RUINED_SEED=${SEED} RUINED_CASE=${index}: ${verdict}\n${fc.stringify(turns)}`);
          }
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, converse));
      expect(failures).toEqual([]);
      expect(provider.refusals).toEqual([]);
    },
    120_000 + CASES * 100,
  );
});

/** The replies that are left for the conversation which a request belongs to. */
function reply(request: WireRequest, scripts: ReadonlyMap<string, ScriptedReply[]>): ScriptedReply {
  const asked = request.messages
    .filter(({ role }) => role === 'user')
    .map(({ content }) => JSON.stringify(content));
  const name = asked.findLast((content) => content.includes('#'))?.match(/#\d+#/)?.[0] ?? '';
  const refusal = refuseForbidden(request);
  if (refusal) return refusal;
  if (asked.at(-1)?.includes(PLAIN)) return says('I am.');
  return scripts.get(name)?.shift() ?? says('Done.');
}

interface Scene {
  readonly stack: Stack;
  readonly scripts: Map<string, ScriptedReply[]>;
  readonly provider: ScriptedProvider;
  readonly name: string;
}

/** Plays a conversation, and returns what was wrong with the answer to the plain question at its end. */
async function play(
  { stack, scripts, provider, name }: Scene,
  turns: readonly Turn[],
): Promise<string | undefined> {
  try {
    let threadId: string | undefined;
    for (const turn of turns) {
      scripts.set(name, listReplies(turn));
      threadId = await playTurn(stack, turn, name, threadId);
      provider.requests.splice(0);
    }
    scripts.delete(name);
    const answered = await stack.answerTo(`${PLAIN} ${name}`, threadId);
    const end = getEnd(answered);
    const isWell = end?.type === 'end' && end.outcome === 'completed' && answered.text === 'I am.';
    return isWell ? undefined : `${JSON.stringify(end)} ${answered.text}`;
  } catch (error) {
    return String(error);
  }
}

/** One turn, whatever becomes of it. */
async function playTurn(stack: Stack, turn: Turn, name: string, known: string | undefined): Promise<string> {
  const { id, threadId } = await stack.ask(`${turn.question} ${name}`, known);
  if (turn.cancelled) {
    // It may have failed before it came there.
    await reached(stack, id, (event) => event.type === 'end' || isLeftAt(event, turn));
    await stack.runs.cancel(ADA, id);
  }
  await stack.readLog(id);
  return threadId;
}
