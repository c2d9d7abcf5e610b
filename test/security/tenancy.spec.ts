import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { nanoid } from 'nanoid';
import { z } from 'zod';
import { findToolMessages, ScriptedModel } from '../../src/agents/langgraph/langgraph.testing.js';
import { AgentTool } from '../../src/index.js';
import { createChatAgent } from '../../src/agents/langgraph/index.js';
import { createAssistant, toStored } from '../../src/protocols/langgraph/assistant-versions.js';
import { PostgresStorage } from '../../src/storage/postgres/postgres.storage.js';
import { schemaName } from '../../src/storage/postgres/postgres.testing.js';
import { SqliteStorage } from '../../src/storage/sqlite/sqlite.storage.js';
import type { Storage } from '../../src/storage/storage.js';
import { PostgresServer, type SharedPostgres } from '../harness/cluster/postgres.server.js';
import { listRoutes, pathWith, type AppRoute } from '../support/app-routes.js';
import { startApp } from '../support/app.server.js';
import { ChatServer, gate } from '../support/chat.server.js';
import { ROWS, type Row, type Thing } from './tenancy.rows.js';
import { postJson } from '../support/post-json.js';

const PAYMENT = z.object({ to: z.string(), amount: z.number() });

/** Pays what the message says: more than 10 has to be approved, and 5 takes until the test is over. */
const model = () =>
  new ScriptedModel((messages) => {
    const answers = findToolMessages(messages);
    if (answers.length > 0) return { chunks: answers.map(({ text }) => `[${text}]`) };
    const amount = /\d+/.exec(messages.at(-1)?.text ?? '')?.[0];
    if (amount === undefined) return { chunks: ['Well.'] };
    return { calls: [{ id: 'call', name: 'pay', args: `{"to":"Eve","amount":${amount}}` }] };
  });

const MESSAGES = { running: 'Pay 5.', ended: 'hello', awaiting: 'Pay 50.' } as const;
type State = keyof typeof MESSAGES;
const STATES = Object.keys(MESSAGES) as State[];

const key = (name: string) => ({ 'x-api-key': `${name}-with-enough-characters` });
const OWNER = key('ann-of-acme');

/** Other callers. Each gets for a thing of the owner's what it gets for nothing. */
const STRANGERS = {
  'another user of the tenant': key('ben-of-acme'),
  'a user of the same id in another tenant': key('ann-of-other'),
} as const;

/** Credentials that are not good. Each is another and from elsewhere: wrong ones are slowed down, by address and by themselves. */
const UNKNOWN = {
  'no credentials': () => ({}),
  'a wrong key': () => ({ ...key(`nobody-${nanoid()}`), ...elsewhere() }),
  'an invalid token': () => ({ authorization: `Bearer a.${nanoid()}.c`, ...elsewhere() }),
  'an invalid cookie': () => ({ cookie: `agent_session=${nanoid()}`, ...elsewhere() }),
} as const;

let addresses = 0;
const elsewhere = () => ({ 'x-forwarded-for': `10.1.${(addresses >> 8) & 255}.${addresses++ & 255}` });

describe.each(['SQLite', 'PostgreSQL'])('resources of another principal on %s', (technology) => {
  const held = gate();
  let postgres: SharedPostgres | undefined;
  let directory: string;
  let storage: Storage;
  let server: ChatServer;
  let things: Readonly<Record<State, Thing>>;

  @Injectable()
  class Payments {
    @AgentTool({
      name: 'pay',
      label: 'Paying…',
      timeoutMs: 600_000,
      description: 'Pays.',
      input: PAYMENT,
      approval: { when: ({ amount }) => amount > 10 },
    })
    async pay({ to, amount }: z.output<typeof PAYMENT>): Promise<string> {
      if (amount === 5) await held.opened;
      return `${amount} to ${to}`;
    }
  }

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'tenancy-'));
    storage = await open();
    server = await ChatServer.start({
      storage,
      agents: (kit) => [
        createChatAgent({ ...kit, name: 'chat', description: 'Pays.', model: model(), accepts: ['image/*'] }),
      ],
      tools: [Payments],
      protocols: { prefix: 'protocols' },
      maxConcurrentRuns: 10_000,
      settings: { TRUST_PROXY: '1' },
      auth: {
        kind: 'credentials',
        ticketSecret: 'a secret of at least thirty-two characters',
        apiKeys: [
          { key: OWNER['x-api-key'], userId: 'ann', tenant: 'acme' },
          { key: key('ben-of-acme')['x-api-key'], userId: 'ben', tenant: 'acme' },
          { key: key('ann-of-other')['x-api-key'], userId: 'ann', tenant: 'other' },
        ],
      },
    });
    things = { running: await make('running'), ended: await make('ended'), awaiting: await make('awaiting') };
  });

  afterAll(async () => {
    held.open();
    server.http.closeAllConnections();
    await server.close();
    await postgres?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  async function open(): Promise<Storage> {
    if (technology === 'SQLite') return new SqliteStorage({ directory });
    postgres = await PostgresServer.shared();
    return new PostgresStorage({ url: postgres.url, schema: schemaName() });
  }

  /** Makes a thing of the owner's. Its thread has a name that somebody else may guess. */
  async function make(state: State): Promise<Thing> {
    const threadId = `thread-${nanoid(8)}`;
    const begun = await postJson(
      `${server.origin}/protocols/ai-sdk/chat`,
      {
        id: threadId,
        messages: [{ id: 'm-0', role: 'user', parts: [{ type: 'text', text: MESSAGES[state] }] }],
      },
      OWNER,
    );
    void begun.body?.cancel();
    const { body } = await server.call('GET', `/threads/${threadId}`, undefined, OWNER);
    const messages = body['messages'] as readonly { readonly runId: string }[];
    const runId = messages[0]?.runId ?? '';
    let inputId = 'none';
    const stream = await server.watch(runId, undefined, { headers: OWNER });
    if (state === 'running') {
      await stream.frame('tool-start');
      stream.leave();
    } else {
      await stream.closed();
      const request = stream.events.find(({ event }) => event === 'input-request');
      inputId = request ? String(request.data['inputId']) : 'none';
    }
    const fileId = nanoid(32);
    const { principal, threadKey } = (await storage.runs.get(runId))!;
    const file = {
      owner: principal,
      threadKey,
      id: fileId,
      mediaType: 'image/png',
      data: Buffer.from('png'),
    };
    await storage.blobs.put(file, 1_000);
    const assistantId = `assistant-${nanoid(8)}`;
    const facts = { agent: 'chat', name: "Ann's", config: {}, context: {}, metadata: {} };
    const assistant = toStored(createAssistant(assistantId, facts, Date.now()));
    await storage.assistants.put(principal, assistant, 10_000);
    return { threadId, runId, inputId, fileId, assistantId };
  }

  /** Gives its place back: one principal may have so many runs at work. */
  async function stop({ runId }: Thing): Promise<void> {
    await server.call('POST', `/runs/${runId}/cancel`, undefined, OWNER);
  }

  /** Names like those of a thing, of which there is none. */
  function makeNothing({ runId, inputId, fileId }: Thing): Thing {
    const like = (id: string) => (id === 'none' ? id : nanoid(id.length));
    return {
      threadId: `thread-${nanoid(8)}`,
      runId: like(runId),
      inputId: like(inputId),
      fileId: like(fileId),
      assistantId: `assistant-${nanoid(8)}`,
    };
  }

  async function ask(route: AppRoute, row: Row, thing: Thing, headers: Readonly<Record<string, string>>) {
    const { params, query, body, headers: own } = row.request(thing);
    const url = `${server.origin}${pathWith(route, params)}${query ? `?${query}` : ''}`;
    const controller = new AbortController();
    const response = await fetch(url, {
      method: route.method,
      headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...own, ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: controller.signal,
    });
    return { response, leave: () => controller.abort() };
  }

  /** An answer with all that differs between two of the same request left out. */
  async function answerFor(
    route: AppRoute,
    row: Row,
    thing: Thing,
    headers: Readonly<Record<string, string>>,
  ) {
    const { response, leave } = await ask(route, row, thing, headers);
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') ?? false;
    // A stream that somebody starts is one of their own: it has ids and times in each frame, and the words of its own run.
    const isOwn = isStream && row.kind !== 'names';
    const isEndless = isStream && row.endless === true;
    if (isEndless) leave();
    const body = isEndless ? '' : isOwn ? await readText(response) : plain(await response.text(), thing);
    const head = Object.fromEntries(
      [...response.headers]
        .filter(([name]) => !VARYING.has(name))
        .map(([name, value]) => [name, plain(value, thing)]),
    );
    return { status: response.status, headers: head, body };
  }

  const rows = Object.entries(ROWS).flatMap(([name, variants]) => {
    const [method = '', path = ''] = name.split(' ');
    return variants.map((row) => ({
      name: [name, row.what].filter(Boolean).join(', '),
      route: { method, path },
      row,
    }));
  });
  const ofKind = (...kinds: Row['kind'][]) => rows.filter(({ row }) => kinds.includes(row.kind));

  it('has a row for every existing route and no other', () => {
    const known = new Set(Object.keys(ROWS));
    const there = new Set(listRoutes(server.app).map(({ method, path }) => `${method} ${path}`));
    expect([...there].filter((route) => !known.has(route) && !DOCUMENTATION.test(route))).toEqual([]);
    expect([...known].filter((route) => !there.has(route))).toEqual([]);
  });

  describe.each(Object.entries(UNKNOWN))('with %s', (_who, newHeaders) => {
    it('answers 401 on every route', async () => {
      for (const { name, route, row } of ofKind('names', 'begins', 'lists')) {
        for (const state of STATES) {
          const asked = await answerFor(route, row, things[state], newHeaders());
          expect({ name, status: asked.status }).toEqual({ name, status: 401 });
          expect({ name, ...asked }).toEqual({
            name,
            ...(await answerFor(route, row, makeNothing(things[state]), newHeaders())),
          });
        }
      }
    });
  });

  it('refuses a ticket for another resource on every route', async () => {
    const { body } = await server.call('POST', `/runs/${things.ended.runId}/ticket`, {}, OWNER);
    const ticket = String(body['ticket']);
    expect(ticket).toMatch(/\./);
    for (const { name, route, row } of ofKind('names', 'begins', 'lists')) {
      const withTicket: Row = {
        ...row,
        request: (thing) => ({ ...row.request(thing), query: `ticket=${ticket}` }),
      };
      const { status } = await answerFor(route, withTicket, things.running, {});
      expect({ name, status }).toEqual({ name, status: 401 });
    }
  });

  describe.each(Object.entries(STRANGERS))('for %s', (_who, headers) => {
    it.each(ofKind('names'))('answers a foreign id like an unknown one on $name', async ({ route, row }) => {
      for (const state of STATES) {
        const asked = await answerFor(route, row, things[state], headers);
        const nothing = await answerFor(route, row, makeNothing(things[state]), headers);
        expect({ state, ...asked }).toEqual({ state, ...nothing });
        if (row.refusal !== undefined) {
          expect(asked.status).toBe(row.refusal);
          // Of the whole reply, its words say that there is nothing.
          expect(asked.body).toContain('not found');
        }
      }
    });

    it.each(ofKind('begins'))(
      "starts a thread of the caller's own under a foreign id on $name",
      async ({ route, row }) => {
        for (const state of STATES) {
          // Of its own for each, because afterwards the stranger has a thread of that name too.
          const thing = await make(state);
          const before = await readDetails(thing);
          const asked = await answerFor(route, row, thing, headers);
          const fresh = await answerFor(route, row, makeNothing(thing), headers);
          expect({ state, ...asked }).toEqual({ state, ...fresh });
          expect(await readDetails(thing)).toEqual(before);
          await stop(thing);
        }
      },
    );

    it.each(ofKind('lists'))('lists no foreign thread or run on $name', async ({ route, row }) => {
      const { response } = await ask(route, row, things.ended, headers);
      const text = await response.text();
      for (const { threadId, runId } of Object.values(things)) {
        // Somebody may have a thread of the same name, but no run.
        expect(text).not.toContain(runId);
        expect(text).not.toContain("Ann's");
        if (route.path === '/api/chat/threads') expect(text).not.toContain(`"${threadId}","title":"Pay`);
      }
    });
  });

  it("leaves the status of the owner's runs unchanged after all foreign requests", async () => {
    for (const state of STATES) {
      const { body } = await server.call('GET', `/runs/${things[state].runId}`, undefined, OWNER);
      expect(body).toMatchObject({
        status: { running: 'running', ended: 'completed', awaiting: 'awaiting-input' }[state],
      });
    }
  });

  it.each(ofKind('names', 'begins', 'lists', 'open'))('serves the owner on $name', async ({ route, row }) => {
    for (const state of STATES) {
      const thing = await make(state);
      const asked = ask(route, row, thing, OWNER);
      if (row.waits) await stop(thing);
      const { response, leave } = await asked;
      const { status } = response;
      expect({ state, status, isFine: status < 300 || (row.otherwise ?? []).includes(status) }).toEqual({
        state,
        status,
        isFine: true,
      });
      leave();
      await response.text().catch(() => '');
      await stop(thing);
    }
  });

  async function readDetails({ threadId, runId }: Thing) {
    const run = await server.call('GET', `/runs/${runId}`, undefined, OWNER);
    const thread = await server.call('GET', `/threads/${threadId}`, undefined, OWNER);
    return { run: run.body, thread: thread.body };
  }
});

it('adds only documentation and health routes to the module in the standalone app', async () => {
  const server = await startApp();
  const others = listRoutes(server.app)
    .map(({ method, path }) => `${method} ${path}`)
    .filter((route) => !Object.hasOwn(ROWS, route));
  await server.close();
  expect(
    others.filter((route) => !DOCUMENTATION.test(route) && !/^GET \/health\/(live|ready)$/.test(route)),
  ).toEqual([]);
});

const DOCUMENTATION = /^GET \/(docs|openapi\.json$)/;

const VARYING = new Set([
  'date',
  'etag',
  'content-length',
  'keep-alive',
  'connection',
  'set-cookie',
  'content-location',
  'x-ratelimit-remaining',
  'x-ratelimit-reset',
  'ratelimit',
]);

/** Without ids, times and signatures. */
function plain(text: string, { threadId, runId, inputId, fileId, assistantId }: Thing): string {
  return (
    [threadId, runId, inputId, fileId, assistantId]
      .filter((id) => id !== 'none')
      .reduce((rest, id) => rest.replaceAll(id, '<id>'), text)
      // Ids of ours first: what is joined to one stays, whether or not there is a digit in it.
      .replaceAll(/\b(?:[a-z0-9]{20}\b|(?=[\w-]*\d)[\w-]{20,})/g, '<made>')
      .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-][\d:]+)/g, '<time>')
      .replaceAll(/\b\d{10,13}\b/g, '<time>')
  );
}

/** The names of the events of a stream, in order; or of its data, where frames have no names. */
async function readText(response: Response): Promise<string> {
  const text = await response.text();
  return [
    ...new Set([...text.matchAll(/^event: (.*)$|"type":"([^"]*)"/gm)].map(([, name, type]) => name ?? type)),
  ].join(' ');
}
