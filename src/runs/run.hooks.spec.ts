import { AsyncLocalStorage } from 'node:async_hooks';
import { ForbiddenException } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import type { AgentInput } from '../agents/agent.js';
import { splitText } from '../events/message-order.js';
import { AppError } from '../errors.js';
import { createAnswer, ScriptedAgent } from '../testing/scripted.agent.js';
import { RunHookCalls, type RunHooks } from './run.hooks.js';
import type { StartRunRequest } from './run.service.js';
import { ADA, processWith, recordedAll, listTypes } from './run.testing.js';

const HELLO: StartRunRequest = { principal: ADA, message: 'hello', metadata: { from: 'page' } };

/** A process with these hooks, whose agent says two words; and what the agent was given. */
async function hooked(hooks: RunHooks, agents: readonly string[] = ['scripted']) {
  const given: (AgentInput & { readonly agent: string })[] = [];
  const process = processWith(
    agents.map(
      (agent) =>
        new ScriptedAgent(
          (input, context) => {
            given.push({ ...input, agent });
            for (const event of createAnswer(context, ['well', 'then'])) void context.emit(event);
          },
          { name: agent },
        ),
    ),
    { hooks },
  );
  await process.executor.start();
  return Object.assign(process, { given });
}

describe('beforeRun', () => {
  it('changes with beforeRun only the fields of the request that it returns', async () => {
    const { runs, given, readLog } = await hooked(
      {
        beforeRun: async ({ metadata }) => ({ agent: 'second', metadata: { ...metadata, traceId: 't-1' } }),
      },
      ['first', 'second'],
    );
    await readLog((await runs.start(HELLO)).id);
    expect(given).toEqual([
      { agent: 'second', message: 'hello', metadata: { from: 'page', traceId: 't-1' } },
    ]);
  });

  it('keeps files between the words where it changes the message', async () => {
    const PNG = Buffer.from(
      'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
      'base64',
    );
    const seen: unknown[] = [];
    const agent = new ScriptedAgent(
      ({ message, given }) => {
        const pieces = splitText(message, given?.files);
        seen.push(pieces.map((piece) => ('text' in piece ? piece.text : 'image')));
      },
      { accepts: ['image/*'] },
    );
    const { runs, executor, readLog } = processWith([agent], {
      hooks: { beforeRun: ({ message }) => ({ message: message.replace('4111 1111', '[a card]') }) },
    });
    await executor.start();
    const message = 'My 4111 1111 card\n\nand this';
    const run = await runs.start({ ...HELLO, message, files: [{ data: PNG, at: 19 }] });
    await readLog(run.id);
    expect(seen).toEqual([['My [a card] card', 'image', 'and this']]);
  });

  it.each([
    new AppError('FORBIDDEN', 'Not on Sundays.'),
    new ForbiddenException('Not on Sundays.'),
    new Error('The policy service is down.'),
  ])('refuses a run with the error that beforeRun throws: %p', async (refusal) => {
    const { runs, storage } = await hooked({
      beforeRun: () => {
        throw refusal;
      },
    });
    await expect(runs.start(HELLO)).rejects.toBe(refusal);
    expect((await storage.runs.listThreads(ADA, { limit: 10 })).items).toEqual([]);
  });

  it('finds the same run by its idempotency key when beforeRun returns something else', async () => {
    let calls = 0;
    const { runs } = await hooked({ beforeRun: () => ({ metadata: { call: ++calls } }) });
    const first = await runs.start({ ...HELLO, idempotencyKey: 'key' });
    const second = await runs.start({ ...HELLO, idempotencyKey: 'key' });
    expect(second.id).toBe(first.id);
    expect(second.metadata).toEqual({ call: 1 });
  });
});

describe('aroundRun', () => {
  it('runs the agent in the async context of aroundRun', async () => {
    const context = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    const process = processWith(
      [
        new ScriptedAgent(async () => {
          await new Promise((resolve) => setImmediate(resolve));
          seen.push(context.getStore());
        }),
      ],
      {
        hooks: {
          aroundRun: ({ principal, metadata }, work) =>
            context.run(`${principal.userId} ${String(metadata['from'])}`, work),
        },
      },
    );
    await process.executor.start();
    await process.readLog((await process.runs.start(HELLO)).id);
    expect(seen).toEqual(['ada page']);
  });

  it.each<[string, NonNullable<RunHooks['aroundRun']>]>([
    ['throws', () => Promise.reject(new Error('No tenant database.'))],
    ['forgets its work', async () => {}],
  ])('fails a run with a neutral message when aroundRun %s', async (_, aroundRun) => {
    const { runs, readLog, given } = await hooked({ aroundRun });
    const log = await readLog((await runs.start(HELLO)).id);
    expect(log.at(-1)!.event).toMatchObject({
      type: 'end',
      outcome: 'failed',
      error: { code: 'RUN_FAILED', message: 'The agent failed.' },
    });
    expect(given).toEqual([]);
  });
});

describe('onEvent and afterRun', () => {
  it('passes every event of the log to the hooks in order, and the end after the last event', async () => {
    const told: string[] = [];
    const ended = Promise.withResolvers<string>();
    const { runs, readLog } = await hooked({
      onEvent: ({ event, seq }) => void told.push(`${seq} ${event.type}`),
      afterRun: ({ id }, { outcome }) => ended.resolve(`${id} ${outcome} after ${told.length}`),
    });
    const run = await runs.start(HELLO);
    const log = await readLog(run.id);
    expect(await ended.promise).toBe(`${run.id} completed after ${log.length}`);
    expect(told).toEqual(log.map(({ event, seq }) => `${seq} ${event.type}`));
  });

  it.each<[string, RunHooks['onEvent']]>([
    [
      'throw',
      () => {
        throw new Error('The audit is full.');
      },
    ],
    ['reject', () => Promise.reject(new Error('The audit is away.'))],
    ['never come back', () => new Promise<void>(() => {})],
  ])('does not delay or change the log when hooks %s', async (_, hook) => {
    const plain = await hooked({});
    const expected = listTypes(await plain.readLog((await plain.runs.start(HELLO)).id));
    const { runs, readLog } = await hooked({
      onEvent: hook,
      afterRun: () => hook?.(undefined as never, undefined as never),
    });
    expect(listTypes(await readLog((await runs.start(HELLO)).id))).toEqual(expected);
  });

  it('waits for hooks at shutdown, up to a time limit', async () => {
    const run = { id: 'run' } as Parameters<RunHookCalls['recorded']>[0];
    const [event] = recordedAll([{ type: 'run-start', agent: 'a', messageId: 'm' }]);
    const written = Promise.withResolvers<void>();
    const audit: string[] = [];
    const calls = new RunHookCalls({ onEvent: () => written.promise.then(() => void audit.push('written')) });
    calls.recorded(run, [event!]);
    const patient = calls.settled(60_000).then(() => audit.push('settled'));
    written.resolve();
    await patient;
    expect(audit).toEqual(['written', 'settled']);

    const stuck = new RunHookCalls({ onEvent: () => new Promise<void>(() => {}) });
    stuck.recorded(run, [event!]);
    await stuck.settled(1);
  });
});
