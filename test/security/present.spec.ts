import { describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import type { AgentContext } from '../../src/agents/agent.js';
import { findToolMessages, ScriptedModel } from '../../src/agents/langgraph/langgraph.testing.js';
import { AgentTool, type ChatModuleOptions, type Principal } from '../../src/index.js';
import { createChatAgent } from '../../src/agents/langgraph/index.js';
import { InputExpiry } from '../../src/runs/input-expiry.js';
import { SqliteStorage } from '../../src/storage/sqlite/sqlite.storage.js';
import type { Storage } from '../../src/storage/storage.js';
import { MemoryStorage } from '../../src/storage/memory/memory.storage.js';
import { createAnswer, ScriptedAgent } from '../../src/testing/scripted.agent.js';
import { newRun } from '../../src/testing/storage/storage-samples.js';
import { chatServers, type ChatServer, type ChatServerOptions } from '../support/chat.server.js';

const PAYMENT = z.object({ to: z.string() });

/** Payments: the only trace of a tool that ran. */
const paid: string[] = [];

@Injectable()
class Payments {
  @AgentTool({
    name: 'pay',
    label: 'Paying…',
    description: 'Pays.',
    input: PAYMENT,
    roles: ['treasurer'],
    approval: true,
  })
  pay({ to }: z.output<typeof PAYMENT>): string {
    paid.push(to);
    return `Paid ${to}.`;
  }
}

const model = () =>
  new ScriptedModel((messages) => {
    const answers = findToolMessages(messages);
    if (answers.length > 0) return { chunks: answers.map(({ text }) => `[${text}]`) };
    return { calls: [{ id: 'call', name: 'pay', args: JSON.stringify({ to: messages.at(-1)?.text }) }] };
  });

const chatting: ChatServerOptions = {
  agents: (kit) => [createChatAgent({ ...kit, name: 'chat', description: 'Chats.', model: model() })],
  tools: [Payments],
};

/** Credentials that say the roles: those of the host, which takes them away when it likes. */
const byHeader: ChatModuleOptions['auth'] = {
  kind: 'host',
  getPrincipal: ({ headers }): Principal => ({
    userId: 'ann',
    tenant: 'acme',
    roles: String(headers['x-roles'] ?? '')
      .split(',')
      .filter((role) => role !== ''),
  }),
};
const withRoles = (...roles: string[]) => ({ 'x-roles': roles.join(',') });

const KEY = 'ann-0123456789abcdef';
const byKey = (
  ...keys: { key?: string; userId?: string; roles?: string[] }[]
): ChatModuleOptions['auth'] => ({
  kind: 'credentials',
  ticketSecret: 'a secret of at least thirty-two characters',
  apiKeys: keys.map(({ key = KEY, userId = 'ann', roles = [] }) => ({ key, userId, tenant: 'acme', roles })),
});
const OTHER = { key: 'bob-0123456789abcdef', userId: 'bob', roles: ['treasurer'] };

const STORAGES: readonly (readonly [string, () => Storage])[] = [
  ['memory', () => new MemoryStorage()],
  ['SQLite', () => new SqliteStorage({ directory: ':memory:' })],
];

describe('current roles of a principal', () => {
  const start = chatServers();

  /** Asks with these roles; gives what has to be approved. */
  async function asked(server: ChatServer, message: string, ...roles: string[]) {
    const stream = await server.ask({ message }, withRoles(...roles));
    await stream.closed();
    const request = stream.events.find(({ event }) => event === 'input-request');
    const { data } = await stream.frame('ready');
    return { runId: String(data['runId']), inputId: String(request?.data['inputId']) };
  }

  const approve = (
    server: ChatServer,
    { runId, inputId }: { runId: string; inputId: string },
    ...roles: string[]
  ) => server.call('POST', `/runs/${runId}/inputs/${inputId}`, { decision: 'approve' }, withRoles(...roles));

  async function watched(server: ChatServer, runId: unknown, headers: Record<string, string> = withRoles()) {
    const stream = await server.watch(String(runId), undefined, { headers });
    await stream.closed();
    return stream;
  }

  describe.each(STORAGES)('on %s', (_name, storage) => {
    it.each([
      [['treasurer'], [], false],
      [['treasurer'], ['clerk'], false],
      [['*'], [], false],
      [['*'], ['clerk'], false],
      [['treasurer', 'clerk'], ['clerk'], false],
      [['treasurer'], ['treasurer'], true],
      [['treasurer'], ['*'], true],
      [['*'], ['treasurer'], true],
      [['*'], ['*'], true],
    ])(
      "decides by the approver's roles about a call requested with roles %j and approved with roles %j",
      async (then, now, runs) => {
        const server = await start({ ...chatting, auth: byHeader, storage: storage() });
        const payee = `${then.join()}-${now.join()}-${_name}`;
        const waiting = await asked(server, payee, ...then);
        const { status, body } = await approve(server, waiting, ...now);
        expect(status).toBe(200);
        const stream = await watched(server, (body['continuedBy'] as { runId: string }).runId);
        const call = stream.events.find(({ event }) => event === 'tool-end');
        expect(paid.includes(payee)).toBe(runs);
        if (runs) expect(call?.data).toMatchObject({ outcome: 'ok' });
        else expect(call?.data).toMatchObject({ outcome: 'denied', error: { code: 'TOOL_DENIED' } });
        // The person is told, by the agent as well.
        expect(stream.text).toContain(runs ? `Paid ${payee}.` : 'not available to you');
        expect(stream.events.at(-1)?.data).toMatchObject({ outcome: 'completed' });
      },
    );
  });

  it('continues a run with the roles that its principal still has when an approval expires', async () => {
    for (const [known, kept] of [
      [undefined, []],
      [['clerk'], ['clerk']],
      [[], []],
    ] as const) {
      const storage = new MemoryStorage();
      const server = await start({
        ...chatting,
        auth: byHeader,
        storage,
        approvals: { expiresInMs: 1 },
        hooks: { findRoles: () => known },
      });
      const { runId } = await asked(server, 'nobody', 'treasurer', 'clerk');
      const expiry = server.app.get(InputExpiry, { strict: false });
      let continued: readonly string[] | undefined;
      for (let tries = 0; tries < 1_000 && !continued; tries += 1) {
        await expiry.sweep();
        const run = await storage.runs.get(runId);
        const { items } = await storage.runs.listRuns(
          { userId: 'ann', tenant: 'acme' },
          String(run?.threadId),
          { limit: 10 },
        );
        continued = items.find(({ resumeOf }) => resumeOf === runId)?.principal.roles;
      }
      expect(continued).toEqual(kept);
    }
  });

  describe('executing a stored run', () => {
    /** Each begins a run elsewhere, some time ago, with the roles of then. */
    const WAYS: readonly (readonly [string, (storage: Storage, principal: Principal) => Promise<unknown>])[] =
      [
        [
          'waited in the queue',
          (storage, principal) => storage.runs.create(newRun('r', { agent: 'scripted', principal })),
        ],
        [
          'is taken over',
          (storage, principal) =>
            storage.runs.create(
              newRun('r', { agent: 'scripted', principal, owner: { ownerId: 'dead', leaseMs: 0 } }),
            ),
        ],
      ];

    class Restricted extends ScriptedAgent {
      override readonly roles = ['treasurer'];
    }

    /** Returns the run's outcome, and the roles that it worked with. */
    async function outcome(
      begin: (typeof WAYS)[number][1],
      options: ChatServerOptions,
      { agentHasRoles = false, before = ['treasurer', 'clerk'] } = {},
    ) {
      const storage = new MemoryStorage();
      await begin(storage, { userId: 'ann', tenant: 'acme', roles: before });
      let worked: readonly string[] | undefined;
      const play = (_: unknown, context: AgentContext) => {
        worked = context.principal.roles;
        for (const event of createAnswer(context, ['hi'])) void context.emit(event);
      };
      const agent = agentHasRoles ? new Restricted(play) : new ScriptedAgent(play);
      const server = await start({ storage, agents: () => [agent], auth: byHeader, ...options });
      const stream = await watched(server, 'r', { ...withRoles(), 'x-api-key': KEY });
      if (stream.status === 200) return { end: stream.events.at(-1)?.data, worked };
      // Nobody can sign in as them any more.
      let run = await storage.runs.get('r');
      while (!run?.endedAt) {
        await new Promise((resolve) => setImmediate(resolve));
        run = await storage.runs.get('r');
      }
      return { end: { outcome: run.status, error: run.error }, worked };
    }

    it.each(WAYS)(
      'executes a run that %s with those roles of its start that the principal still has',
      async (_way, begin) => {
        const findRoles = () => ['clerk', 'auditor'];
        expect(await outcome(begin, { hooks: { findRoles } })).toMatchObject({ worked: ['clerk'] });
        const gone = await outcome(begin, { hooks: { findRoles } }, { agentHasRoles: true });
        expect(gone.worked).toBeUndefined();
        expect(gone.end).toMatchObject({
          outcome: 'failed',
          error: { code: 'FORBIDDEN', message: "You may no longer use the agent 'scripted'." },
        });
      },
    );

    it.each(WAYS)('executes a run that %s without roles when they cannot be found', async (_way, begin) => {
      const findRoles = () => Promise.reject(new Error('The directory is away.'));
      expect(await outcome(begin, { hooks: { findRoles } })).toMatchObject({ worked: [] });
    });

    it.each(WAYS)(
      'executes a run that %s with the roles of its start when the host does not know them',
      async (_way, begin) => {
        const findRoles = () => undefined;
        expect(await outcome(begin, { hooks: { findRoles } })).toMatchObject({
          worked: ['treasurer', 'clerk'],
        });
      },
    );

    it.each(WAYS)(
      'executes a run that %s with no more roles than its API key has now',
      async (_way, begin) => {
        const has = (roles: string[]) => outcome(begin, { auth: byKey({ roles }) });
        expect(await has(['treasurer', 'clerk'])).toMatchObject({ worked: ['treasurer', 'clerk'] });
        expect(await has(['clerk'])).toMatchObject({ worked: ['clerk'] });
        expect(await has(['*'])).toMatchObject({ worked: ['treasurer', 'clerk'] });
        const all = await outcome(begin, { auth: byKey({ roles: ['clerk'] }) }, { before: ['*'] });
        expect(all).toMatchObject({ worked: ['clerk'] });
      },
    );

    it.each(WAYS)('executes a run that %s without roles when its API key is gone', async (_way, begin) => {
      expect(await outcome(begin, { auth: byKey(OTHER) })).toMatchObject({ worked: [] });
      const refused = await outcome(begin, { auth: byKey(OTHER) }, { agentHasRoles: true });
      expect(refused).toMatchObject({ end: { outcome: 'failed', error: { code: 'FORBIDDEN' } } });
    });
  });
});
