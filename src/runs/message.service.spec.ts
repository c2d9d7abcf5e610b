import { afterEach, describe, expect, it } from '@jest/globals';
import { foldRun, getText } from '../events/run-view.js';
import type { Agent, AgentContext } from '../agents/agent.js';
import { until } from '../../test/support/until.js';
import { MemoryStorage } from '../storage/memory/memory.storage.js';
import { createAnswer, ScriptedAgent } from '../testing/scripted.agent.js';
import { drainProcesses, startProcess, waitForEvent } from './run-worker.testing.js';
import { aborted, ADA, listTypes, type ProcessOptions } from './run.testing.js';
import { MessageService } from './message.service.js';

afterEach(drainProcesses);

const BOB = { ...ADA, userId: 'bob' };

/** Answers its question, and then each message that it is sent, until none waits. Before the first answer it waits for `ready`. */
function steeredAgent(ready: (context: AgentContext) => Promise<unknown>): Agent {
  return new ScriptedAgent(
    async ({ message }, context) => {
      const { emit } = context;
      for (const event of createAnswer(context, [`To ${message}.`])) void emit(event);
      await ready(context);
      for (let turn = 2; context.hasMessages?.(); turn += 1) {
        for (const put of (await context.takeMessages?.()) ?? []) {
          void emit(put);
          for (const event of createAnswer(context, [` To ${put.text}.`], `${turn}-${put.text}`))
            void emit(event);
        }
      }
    },
    { isSteerable: true },
  );
}

const hasMessages = (context: AgentContext) => until(() => context.hasMessages?.() ?? false);

async function start(agent: Agent, options: ProcessOptions = {}) {
  const process = await startProcess([agent], options);
  const run = await process.runs.start({ principal: ADA, message: 'one' });
  return { ...process, run, runId: run.id };
}

describe('a message to a run that is under way', () => {
  it('is taken by the agent at the place where it tells of it', async () => {
    const { messages, readLog, runId, runs } = await start(steeredAgent(hasMessages));
    const given = await messages.add(ADA, runId, { id: 'm1', text: 'two' });
    const log = await readLog(runId);
    const view = foldRun(runId, log);
    expect(getText(view)).toBe('To one. To two.');
    expect(view.parts.map(({ kind }) => kind)).toEqual(['text', 'person', 'text']);
    expect(view.parts[1]).toEqual({ kind: 'person', messageId: given.messageId, text: 'two' });
    expect(log.at(-1)?.event).toMatchObject({ type: 'end', outcome: 'completed' });
    // A client that has not heard of it asks once more.
    expect(await messages.add(ADA, runId, { id: 'm1', text: 'two' })).toMatchObject({
      id: 'm1',
      taken: true,
    });
    await expect(messages.add(ADA, runId, { text: 'three' })).rejects.toMatchObject({ code: 'RUN_CLOSED' });
    await expect(messages.withdraw(ADA, runId, 'm1')).rejects.toMatchObject({ code: 'MESSAGE_TAKEN' });
    expect(await runs.get(ADA, runId)).toMatchObject({ status: 'completed' });
  });

  it('reaches a run in another process', async () => {
    const storage = new MemoryStorage();
    const { readLog, runId } = await start(steeredAgent(hasMessages), { storage });
    const other = await startProcess([steeredAgent(hasMessages)], { storage });
    await other.messages.add(ADA, runId, { text: 'two' });
    expect(getText(foldRun(runId, await readLog(runId)))).toBe('To one. To two.');
  });

  it('reaches a run whose process has missed the hint', async () => {
    const storage = new MemoryStorage();
    const deaf = { notify: () => undefined };
    const { readLog, runId, runs } = await start(steeredAgent(hasMessages), {
      storage,
      executor: { leaseMs: 400 },
    });
    const agents = { choose: () => steeredAgent(hasMessages) };
    const messages = new MessageService(runs, storage.runs, deaf, agents);
    await messages.add(ADA, runId, { text: 'two' });
    expect(getText(foldRun(runId, await readLog(runId)))).toBe('To one. To two.');
  });

  it('is taken by the same run when it comes after the agent has looked for the last time', async () => {
    const storage = new MemoryStorage();
    const { promise: hasLooked, resolve: look } = Promise.withResolvers<void>();
    const { promise: mayEnd, resolve: end } = Promise.withResolvers<void>();
    let calls = 0;
    const agent = new ScriptedAgent(
      async (_, context) => {
        calls += 1;
        const puts = context.hasMessages?.() ? ((await context.takeMessages?.()) ?? []) : [];
        for (const put of puts) void context.emit(put);
        for (const event of createAnswer(context, [`Answer ${calls}.`], String(calls)))
          void context.emit(event);
        look();
        await mayEnd;
      },
      { isSteerable: true },
    );
    const { messages, readLog, runId } = await start(agent, { storage });
    await hasLooked;
    await messages.add(ADA, runId, { text: 'two' });
    end();
    const log = await readLog(runId);
    expect(foldRun(runId, log).parts.map((part) => ('text' in part ? part.text : part.kind))).toEqual([
      'Answer 1.',
      'two',
      'Answer 2.',
    ]);
    expect(listTypes(log).filter((type) => type === 'end' || type === 'run-resume')).toEqual([
      'run-resume',
      'end',
    ]);
    expect(await storage.runs.get(runId)).not.toHaveProperty('deaths');
  });

  it('does not keep a run for ever whose agent takes none', async () => {
    const deaf = new ScriptedAgent(
      async (_, context) => {
        for (const event of createAnswer(context, ['Done.'])) void context.emit(event);
        await hasMessages(context);
      },
      { isSteerable: true },
    );
    const { messages, readLog, runId, storage } = await start(deaf);
    const { messageId: _, ...message } = await messages.add(ADA, runId, { text: 'two' });
    expect((await readLog(runId)).at(-1)?.event).toMatchObject({ outcome: 'completed' });
    expect(listTypes(await readLog(runId))).not.toContain('message-put');
    // Its client may send it elsewhere.
    const again = messages.add(ADA, runId, { id: message.id, text: 'two' });
    await expect(again).rejects.toMatchObject({ code: 'RUN_CLOSED' });
    expect((await storage.runs.get(runId))?.messages).toEqual([{ ...message, left: true }]);
    await messages.withdraw(ADA, runId, message.id);
  });

  it('belongs to its client again when the run is cancelled after its agent has taken it, and before it tells of it', async () => {
    const storage = new MemoryStorage();
    const { promise: mayHave, resolve: have } = Promise.withResolvers<void>();
    const { promise: isTaking, resolve: take } = Promise.withResolvers<void>();
    const change = storage.runs.changeMessages.bind(storage.runs);
    storage.runs.changeMessages = async (asked) => {
      if (asked.kind === 'take') take();
      const result = await change(asked);
      if (asked.kind === 'take') await mayHave;
      return result;
    };
    const stopped = Promise.withResolvers<void>();
    const agent = steeredAgent(async (context) => {
      context.signal.addEventListener('abort', () => stopped.resolve());
      await hasMessages(context);
    });
    const { messages, readLog, runId, runs } = await start(agent, { storage });
    const { id } = await messages.add(ADA, runId, { text: 'two' });
    await isTaking;
    await runs.cancel(ADA, runId);
    await stopped.promise;
    have();
    expect(listTypes(await readLog(runId))).not.toContain('message-put');
    const run = await runs.get(ADA, runId);
    expect(run).toMatchObject({ status: 'cancelled', messages: [{ id, text: 'two', left: true }] });
    expect(run.messages?.[0]).not.toHaveProperty('taken');
    await messages.withdraw(ADA, runId, id);
  });

  it('is withdrawn until it is taken', async () => {
    const agent = steeredAgent(({ signal }) => aborted(signal));
    const { messages, runId, runs, ...process } = await start(agent);
    await waitForEvent({ runs, messages, ...process }, runId, 'text-delta');
    await messages.add(ADA, runId, { id: 'm1', text: 'two' });
    await messages.withdraw(ADA, runId, 'm1');
    await expect(messages.withdraw(ADA, runId, 'm1')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await runs.get(ADA, runId)).not.toHaveProperty('messages');
  });

  it('is refused to strangers, to agents that take none, and beyond its limits', async () => {
    const { messages, runId } = await start(steeredAgent(({ signal }) => aborted(signal)));
    const add = (text: string, principal = ADA) => messages.add(principal, runId, { text });
    const missing = { code: 'NOT_FOUND', message: `There is no run '${runId}'.` };
    await expect(add('two', BOB)).rejects.toMatchObject(missing);
    await expect(messages.withdraw(BOB, runId, 'm1')).rejects.toMatchObject(missing);
    await expect(add('x'.repeat(256 * 1024 + 1))).rejects.toMatchObject({ code: 'REQUEST_TOO_LARGE' });
    for (let count = 1; count <= 20; count += 1) await add(`message ${count}`);
    await expect(add('one more')).rejects.toMatchObject({ code: 'RUN_CLOSED' });

    const plain = await start(new ScriptedAgent((_, { signal }) => aborted(signal)));
    await expect(plain.messages.add(ADA, plain.runId, { text: 'two' })).rejects.toMatchObject({
      code: 'RUN_CLOSED',
    });
  });

  it('passes the policy of the host, which may change it', async () => {
    const { messages, runId, readLog } = await start(steeredAgent(hasMessages), {
      hooks: {
        beforeRun: ({ message, steers }) => {
          if (message.includes('secret')) throw new Error('No secrets.');
          return steers === undefined ? undefined : { message: `${message} (${steers})` };
        },
      },
    });
    await expect(messages.add(ADA, runId, { text: 'secret' })).rejects.toThrow('No secrets.');
    await messages.add(ADA, runId, { text: 'two' });
    expect(getText(foldRun(runId, await readLog(runId)))).toBe(`To one. To two (${runId}).`);
  });
});
