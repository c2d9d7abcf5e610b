import type { ChildProcess } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { availableParallelism } from 'node:os';
import type { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { McpServer } from '../../src/tools/mcp/mcp.server.js';
import { ToolRegistry } from '../../src/tools/tool.registry.js';
import { ToolTrackingService } from '../../src/tools/tool-tracking.service.js';
import { NotedRun } from '../../src/tools/tool-tracking.testing.js';
import { appServers } from '../support/app.server.js';
import { obedientModel } from './obedient.model.js';

const SPARE = Math.max(1, availableParallelism() - 1);
const ENDLESS = 'WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n';
/** Longer than a test may take. */
const CATASTROPHIC = `${'a'.repeat(60)}!`;

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Counts what this process has started and what of it is alive, whoever starts it. */
class Counted {
  started = 0;
  most = 0;
  private now = 0;

  readonly hear = (message: unknown): void => {
    const { process: child, worker } = message as { process?: ChildProcess; worker?: Worker };
    this.started += 1;
    this.most = Math.max(this.most, (this.now += 1));
    (child ?? worker!).once('exit', () => (this.now -= 1));
  };
}

describe('sixty tool calls in one turn', () => {
  const start = appServers();
  const model = obedientModel();
  let children: Counted;
  let threads: Counted;

  beforeEach(() => {
    [children, threads] = [new Counted(), new Counted()];
    subscribe('child_process', children.hear);
    subscribe('worker_threads', threads.hear);
  });

  afterEach(() => {
    unsubscribe('child_process', children.hear);
    unsubscribe('worker_threads', threads.hear);
  });

  const sixty = (name: string, args: object) => Array.from({ length: 60 }, () => ({ name, arguments: args }));

  it('starts at most one thread per spare processor for sixty expressions in one turn', async () => {
    model.wish('compute', sixty('calculator', { expression: 'combinations(30, 15)' }));
    const server = await start(model.settings);
    const before = threads.started;
    const stream = await server.ask({ message: 'compute' });
    expect(await stream.closed()).toBe('end');
    expect(stream.events.filter(({ event }) => event === 'tool-end')).toHaveLength(60);
    expect(new Set(model.told.map((told) => JSON.parse(told).result))).toEqual(new Set(['1.5511752e+8']));
    expect(threads.started - before).toBeGreaterThan(0);
    expect(threads.started - before).toBeLessThanOrEqual(SPARE);
  });

  it('starts only a few processes at a time for sixty lookups in one turn', async () => {
    model.wish('look up', sixty('data_lookup', { sql: 'SELECT count(*) FROM countries' }));
    const server = await start(model.settings);
    const stream = await server.ask({ message: 'look up' });
    expect(await stream.closed()).toBe('end');
    expect(model.told).toHaveLength(60);
    expect(model.told.every((told) => told.includes('[[250]]'))).toBe(true);
    expect(children.started).toBeGreaterThan(0);
    expect(children.most).toBeLessThanOrEqual(Math.max(2, SPARE));
  });

  it("ends sixty lookups at once when their run is cancelled, and does not delay another user's", async () => {
    model.wish('for ever', sixty('data_lookup', { sql: ENDLESS }));
    model.wish('a small one', [{ name: 'data_lookup', arguments: { sql: 'SELECT 7 AS seven' } }]);
    const server = await start({
      ...model.settings,
      AUTH_API_KEYS: 'key-of-the-one-user:ann@a,key-of-the-other-user:bob@b',
    });
    const key = { 'x-api-key': 'key-of-the-one-user' };
    const stream = await server.ask({ message: 'for ever' }, key);
    const { data } = await stream.frame('tool-start');
    const other = await server.ask({ message: 'a small one' }, { 'x-api-key': 'key-of-the-other-user' });
    expect(await other.closed()).toBe('end');
    expect(model.told.at(-1)).toContain('[[7]]');

    const runId = String(stream.frames[0]!.data['runId'] ?? data['runId']);
    const cancelled = await fetch(`${server.origin}/api/chat/runs/${runId}/cancel`, {
      method: 'POST',
      headers: key,
    });
    expect(cancelled.status).toBeLessThan(300);
    expect(await stream.closed()).toBe('end');
    const types = stream.events.map(({ event }) => event);
    const started = types.filter((type) => type === 'tool-start').length;
    expect(types.filter((type) => type === 'tool-end')).toHaveLength(started);
    // Ten at a time: the next ones begin where some took too long before it was cancelled.
    expect(started).toBeGreaterThanOrEqual(10);
    expect(started).toBeLessThan(60);
    expect(stream.events.at(-1)?.data).toMatchObject({ outcome: 'cancelled' });
  });
});

describe('hostile MCP server', () => {
  const servers: { close(): unknown }[] = [];
  Logger.overrideLogger(false);

  afterEach(async () => {
    for (const server of servers.splice(0).reverse()) await server.close();
  });

  /** Speaks as much MCP as it needs. Its answers to calls are `structured`. */
  async function hostile(tool: object, structured: object): Promise<ToolTrackingService> {
    const http: Server = createServer(async (request, response) => {
      if (request.method !== 'POST') return response.writeHead(405).end();
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const { id, method, params } = JSON.parse(Buffer.concat(chunks).toString()) as {
        id?: number;
        method: string;
        params?: { protocolVersion?: string };
      };
      if (id === undefined) return response.writeHead(202).end();
      const results: Record<string, object> = {
        initialize: {
          protocolVersion: params?.protocolVersion,
          capabilities: { tools: {} },
          serverInfo: { name: 'hostile', version: '1' },
        },
        'tools/list': { tools: [{ name: 'look', ...tool }] },
        'tools/call': { content: [], structuredContent: structured },
      };
      const answer = JSON.stringify({ jsonrpc: '2.0', id, result: results[method] ?? {} });
      return response.writeHead(200, { 'content-type': 'application/json' }).end(answer);
    });
    await once(http.listen(0, '127.0.0.1'), 'listening');
    const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`;
    const registry = new ToolRegistry();
    const server = new McpServer({ name: 'hostile', transport: { url } }, registry);
    servers.push({ close: () => (http.closeAllConnections(), http.close()) }, server);
    await server.start();
    return new ToolTrackingService(registry);
  }

  const pattern = (name: string) => ({
    type: 'object',
    properties: { [name]: { type: 'string', pattern: '^(a+)+$' } },
  });
  const call = { toolCallId: 'c', toolName: 'hostile_look', stepId: 's' };

  it('does not let an MCP server block the event loop with a pattern for arguments', async () => {
    const tracking = await hostile({ inputSchema: pattern('word') }, {});
    const answer = tracking.call({ ...call, args: { word: CATASTROPHIC } }, new NotedRun());
    const turns = Promise.all([turn(), turn(), turn()]).then(() => 'turns');
    expect(await Promise.race([turns, answer])).toBe('turns');
    expect(await answer).toMatchObject({
      outcome: 'invalid-input',
      content: expect.stringContaining('could not be checked'),
    });
    expect(await tracking.call({ ...call, args: { word: 'aaa' } }, new NotedRun())).toMatchObject({
      outcome: 'ok',
    });
  });

  it('does not let an MCP server block a call with a pattern for its own results', async () => {
    const tracking = await hostile(
      { inputSchema: { type: 'object' }, outputSchema: pattern('word') },
      { word: CATASTROPHIC },
    );
    expect(await tracking.call({ ...call, args: {} }, new NotedRun())).toEqual({
      outcome: 'ok',
      content: { word: CATASTROPHIC },
    });
  });

  it('does not let an MCP server delay a cancelled run with the check of its arguments', async () => {
    const tracking = await hostile({ inputSchema: pattern('word') }, {});
    const run = new NotedRun();
    const answers = Array.from({ length: 20 }, () =>
      tracking.call({ ...call, args: { word: CATASTROPHIC } }, run),
    );
    run.abort.abort(new Error('cancelled'));
    for (const { status } of await Promise.allSettled(answers)) expect(status).toBe('rejected');
    expect(run.events).toEqual([]);
  });
});
