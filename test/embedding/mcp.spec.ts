import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { z } from 'zod';
import { findToolMessages, ScriptedModel } from '../../src/agents/langgraph/langgraph.testing.js';
import { AppError, ChatModule, type ChatModuleOptions, type McpServerOptions } from '../../src/index.js';
import type { Tool } from '../../src/tools/index.js';
import { createChatAgent } from '../../src/agents/langgraph/index.js';
import { MemoryStorage } from '../../src/storage/index.js';
import { ToolRegistry } from '../../src/tools/index.js';
import { McpServer } from '../../src/tools/mcp/mcp.server.js';
import { McpServers } from '../../src/tools/mcp/mcp-servers.js';
import { freePort } from '../harness/cluster/free-port.js';
import { callContext } from '../../src/tools/tool.testing.js';
import { until } from '../support/until.js';
import { hostServers } from './host.server.js';

Logger.overrideLogger(false);

const script = (name: string) =>
  fileURLToPath(new URL(`../../node_modules/@modelcontextprotocol/${name}/dist/index.js`, import.meta.url));

const EVERYTHING: McpServerOptions = {
  name: 'everything',
  transport: { command: process.execPath, args: [script('server-everything')] },
};

describe('McpServer', () => {
  const registry = { current: new ToolRegistry() };
  const servers: McpServer[] = [];
  const processes: ChildProcess[] = [];
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mcp-'));
    await writeFile(join(folder, 'note.txt'), 'The meeting is at noon.');
  });

  afterEach(async () => {
    for (const server of servers.splice(0)) await server.close();
    for (const child of processes.splice(0)) await kill(child);
    registry.current = new ToolRegistry();
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function connect(options: McpServerOptions): Promise<McpServer> {
    const server = new McpServer(options, registry.current);
    servers.push(server);
    await server.start();
    return server;
  }

  const names = () => registry.current.list().map(({ name }) => name);
  const tool = (name: string): Tool => registry.current.get(name)!;

  const filesystem = (options: Partial<McpServerOptions> = {}): McpServerOptions => ({
    name: 'files',
    transport: { command: process.execPath, args: [script('server-filesystem'), folder] },
    ...options,
  });

  it('offers the tools of an MCP server with their descriptions, schemas and side effects, and calls them', async () => {
    await connect(filesystem());
    expect(names()).toEqual(expect.arrayContaining(['files_read_text_file', 'files_write_file']));
    const read = tool('files_read_text_file');
    expect(read).toMatchObject({
      label: 'Using Read Text File…',
      description: expect.stringContaining('file'),
    });
    expect((await read.input.safeParseAsync({})).success).toBe(false);
    expect((await read.input.safeParseAsync({ path: 'note.txt' })).success).toBe(true);
    const result = await read.execute({ path: join(folder, 'note.txt') }, callContext());
    expect(JSON.stringify(result)).toContain('The meeting is at noon.');
    await expect(read.execute({ path: '/etc/passwd' }, callContext())).rejects.toMatchObject({
      message: 'The MCP server reported that the call failed.',
      modelMessage: expect.stringMatching(/denied|outside/i),
    });
    // What reads may be read again after a crash; what a server calls idempotent may be done again; the rest may not.
    expect(
      [read, tool('files_write_file'), tool('files_edit_file')].map(({ sideEffect }) => sideEffect),
    ).toEqual(['none', 'idempotent', 'once']);
  });

  it('applies the roles, labels and timeouts of the options to each tool of an MCP server', async () => {
    await connect(
      filesystem({
        defaults: { roles: ['clerk'], timeoutMs: 5_000 },
        tools: {
          write_file: false,
          read_text_file: { label: 'Reading…', expose: { input: ['path'] }, roles: [] },
        },
      }),
    );
    expect(names()).not.toContain('files_write_file');
    expect(tool('files_read_text_file')).toMatchObject({ label: 'Reading…', roles: [], timeoutMs: 5_000 });
    const visitor = { userId: 'v', tenant: 't', roles: [] };
    expect(registry.current.availableTo(visitor).map(({ name }) => name)).toEqual(['files_read_text_file']);
  });

  it('reports the progress of an MCP call, and aborts it when the call is cancelled', async () => {
    await connect(EVERYTHING);
    const slow = tool('everything_trigger-long-running-operation');
    expect(await slow.execute({ duration: 0.1, steps: 1 }, callContext())).toMatch(/completed/);

    const abort = new AbortController();
    const context = callContext({ signal: abort.signal });
    const cancelled = slow.execute({ duration: 3600, steps: 100_000 }, context);
    // Progress is looked at while the call runs: what arrives together with the answer is dropped by the SDK.
    await until(() => context.updates.length >= 3);
    expect(context.updates.slice(0, 3)).toEqual([1, 2, 3].map((step) => ({ fraction: step / 100_000 })));
    abort.abort(new Error('Nobody waits.'));
    await expect(cancelled).rejects.toThrow('Nobody waits.');
  });

  it('removes the tools of an MCP server that dies, logs it, and restores them when it is back', async () => {
    const port = await freePort();
    const first = await serve(port);
    await connect({
      name: 'remote',
      transport: { url: `http://127.0.0.1:${port}/mcp` },
      retryMs: 20,
      pingMs: 50,
    });
    const before = names();
    expect(before).toContain('remote_echo');
    expect(await tool('remote_echo').execute({ message: 'hello' }, callContext())).toBe('Echo: hello');

    const warn = jest.spyOn(Logger.prototype, 'warn');
    await kill(first);
    await until(() => names().length === 0);
    expect(warn).toHaveBeenCalledWith(
      expect.objectContaining({ server: 'remote', tools: before }),
      "The MCP server 'remote' cannot be reached. Its tools are removed until it is back.",
    );
    warn.mockRestore();
    await serve(port);
    await until(() => names().length > 0);
    expect(names()).toEqual(before);
    expect(await tool('remote_echo').execute({ message: 'again' }, callContext())).toBe('Echo: again');
  });

  it('starts while an MCP server is unreachable, and adds its tools once it answers', async () => {
    const port = await freePort();
    await connect({ name: 'late', transport: { url: `http://127.0.0.1:${port}/mcp` }, retryMs: 20 });
    expect(names()).toEqual([]);
    await serve(port);
    await until(() => names().includes('late_echo'));
  });

  it('rejects an MCP tool whose name is taken, and two MCP servers of one name', async () => {
    registry.current.register({ ...echo('everything_echo') }, 'EchoService.echo');
    await expect(connect(EVERYTHING)).rejects.toThrow(
      /Two tools are named 'everything_echo': EchoService\.echo and the MCP server 'everything'/,
    );
    expect(() => new McpServers([EVERYTHING, EVERYTHING], registry.current)).toThrow(AppError);
  });

  async function serve(port: number): Promise<ChildProcess> {
    const child = spawn(process.execPath, [script('server-everything'), 'streamableHttp'], {
      env: { PATH: process.env['PATH'], PORT: String(port) },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    processes.push(child);
    for await (const line of createInterface({ input: child.stderr })) if (line.includes('listening')) break;
    child.stderr.resume();
    return child;
  }
});

describe('agent with the tools of an MCP server', () => {
  const start = hostServers();

  it('tracks and exposes an MCP call as the options say, and denies it to other roles', async () => {
    const told: string[][] = [];
    const options: ChatModuleOptions = {
      storage: new MemoryStorage(),
      auth: {
        kind: 'host',
        getPrincipal: ({ headers }) => ({ userId: 'u', tenant: 't', roles: [String(headers['x-role'])] }),
      },
      agents: (kit) => [
        createChatAgent({
          ...kit,
          name: 'chat',
          description: 'Chats.',
          model: new ScriptedModel((messages) => {
            const answers = findToolMessages(messages);
            if (answers.length > 0) {
              told.push(answers.map(({ text }) => text));
              return { chunks: ['Done.'] };
            }
            return { calls: [{ id: 'call-1', name: 'everything_get-sum', args: '{"a":2,"b":40}' }] };
          }),
        }),
      ],
      mcp: [
        {
          ...EVERYTHING,
          defaults: { roles: ['clerk'] },
          tools: { 'get-sum': { label: 'Adding…', expose: { input: true, output: true } } },
        },
      ],
      drainMs: 0,
    };
    const server = await start(ChatModule.forRoot(options));
    const asked = await server.ask('/api/chat', { headers: { 'x-role': 'clerk' } });
    await asked.closed();
    expect((await asked.frame('tool-start')).data).toMatchObject({
      toolName: 'everything_get-sum',
      label: 'Adding…',
      input: { a: 2, b: 40 },
    });
    const { data } = await asked.frame('tool-end');
    expect(data).toMatchObject({ outcome: 'ok', output: 'The sum of 2 and 40 is 42.' });

    const refused = await server.ask('/api/chat', { headers: { 'x-role': 'visitor' } });
    await refused.closed();
    expect((await refused.frame('tool-end')).data).toMatchObject({ outcome: 'denied' });
    expect(told).toEqual([
      ['The sum of 2 and 40 is 42.'],
      ["The tool 'everything_get-sum' is not available to you."],
    ]);
  });
});

function echo(name: string): Tool {
  return {
    name,
    label: 'Echoing…',
    description: 'Echoes.',
    input: z.object({}),
    execute: () => 'echo',
  };
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
