import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { z } from 'zod';
import { until } from '../../../test/support/until.js';
import { MediaResult } from '../media-result.js';
import { ToolRegistry } from '../tool.registry.js';
import { callContext } from '../tool.testing.js';
import { McpServer } from './mcp.server.js';
import { startMcp, type McpAnswer, type ScriptedMcp } from './scripted-mcp.testing.js';

Logger.overrideLogger(false);

const ECHO = { name: 'echo', inputSchema: { type: 'object', properties: { text: { type: 'string' } } } };
const NO_METHOD: McpAnswer = { error: { code: -32601, message: 'Method not found' } };
const said = (text: string): McpAnswer => ({ result: { content: [{ type: 'text', text }] } });

const HELLO = said('hello');
const noteTool = {
  label: 'Noting',
  description: 'Of the host.',
  input: z.object({}),
  execute: async () => 'noted',
};

describe('McpServer', () => {
  const opened: (McpServer | ScriptedMcp)[] = [];
  afterEach(async () => {
    jest.restoreAllMocks();
    for (const each of opened.splice(0)) await each.close();
  });

  async function connect(
    answer: (method: string, params: Record<string, unknown>) => McpAnswer,
    tools: readonly object[] = [ECHO],
    registry = new ToolRegistry(),
  ) {
    const scripted = await startMcp((method, params) =>
      method === 'tools/list' && tools.length > 0 ? { result: { tools } } : answer(method, params),
    );
    const transport = { url: scripted.url };
    const server = new McpServer({ name: 's', transport, pingMs: 20, retryMs: 60_000 }, registry);
    opened.push(server, scripted);
    await server.start();
    const names = () => registry.list().map(({ name }) => name);
    return {
      ...scripted,
      server,
      registry,
      names,
      call: (name: string) => registry.get(name)!.execute({}, callContext()),
    };
  }

  it.each<[string, McpAnswer]>([
    ['that it knows no such method', NO_METHOD],
    ['that the request is invalid', { error: { code: -32600, message: 'Invalid Request' } }],
    ['that it has failed', { error: { code: -32603, message: 'Internal error' } }],
  ])('keeps the connection to an MCP server that answers a ping %s', async (_name, answer) => {
    const warn = jest.spyOn(Logger.prototype, 'warn');
    const { asked, names } = await connect(() => answer);
    await until(() => asked.filter((method) => method === 'ping').length >= 3);
    expect(names()).toEqual(['s_echo']);
    expect(asked.filter((method) => method === 'initialize')).toHaveLength(1);
    expect(warn).not.toHaveBeenCalled();
  });

  it('repeats calls in a new session when the server has lost its sessions, and keeps the tools', async () => {
    const server = await connect((method) => (method === 'ping' ? NO_METHOD : said('hello')));
    expect(await server.call('s_echo')).toBe('hello');
    const warn = jest.spyOn(Logger.prototype, 'warn');
    server.forget();
    expect(await Promise.all([server.call('s_echo'), server.call('s_echo'), server.call('s_echo')])).toEqual([
      'hello',
      'hello',
      'hello',
    ]);
    expect(server.asked.filter((method) => method === 'initialize')).toHaveLength(2);
    expect(server.asked.filter((method) => method === 'tools/call')).toHaveLength(4);

    server.forget();
    // Found out by a ping, too.
    await until(() => server.asked.filter((method) => method === 'initialize').length === 3);
    expect(server.names()).toEqual(['s_echo']);
    expect(warn).not.toHaveBeenCalled();
  });

  it('does not repeat a call that an MCP server fails', async () => {
    const { asked, call } = await connect((method) =>
      method === 'ping' ? NO_METHOD : { error: { code: -32000, message: 'Broken.' } },
    );
    await expect(call('s_echo')).rejects.toThrow('Broken.');
    expect(asked.filter((method) => method === 'tools/call')).toHaveLength(1);
  });

  it('leaves out tools that cannot be sent or registered, with a warning for each', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn');
    const { names } = await connect(
      () => NO_METHOD,
      [
        ECHO,
        { name: 'refused', inputSchema: { type: 'object', properties: { 'a b': {} } } },
        { name: 'e.cho', inputSchema: { type: 'object' } },
        { name: 'e_cho', inputSchema: { type: 'object' } },
        { name: 'either', inputSchema: { type: 'object', anyOf: [{ required: ['a'] }] } },
        { name: 'when', inputSchema: { type: 'object', if: { required: ['a'] }, else: { required: ['b'] } } },
      ],
    );
    expect(names()).toEqual(['s_echo', 's_e_cho', 's_either', 's_when']);
    expect(warn.mock.calls.map(([, sentence]) => sentence)).toEqual([
      'A tool of the MCP server is left out: its schema cannot be used.',
      'A tool of the MCP server is left out: it cannot be registered.',
    ]);
  });

  it('loses alone what is no tool, and keeps one with odd words about it', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn');
    const { names } = await connect(
      () => NO_METHOD,
      [
        { name: 'none' },
        { inputSchema: { type: 'object' } },
        { name: 'text', inputSchema: 'object' },
        null as unknown as object,
        {
          ...ECHO,
          title: 7,
          description: null,
          annotations: 'none',
          outputSchema: { type: 'strange' },
          icons: {},
        },
        { name: 'x'.repeat(80), inputSchema: { type: 'object' } },
        {
          name: '$ref',
          inputSchema: {
            type: 'object',
            properties: { a: { $ref: '#/$defs/a' } },
            $defs: { a: { type: 'object', properties: { a: { $ref: '#/$defs/a' } } } },
          },
        },
      ],
    );
    expect(names()).toEqual(['s_echo', `s_${'x'.repeat(62)}`, 's__ref']);
    expect(new Set(warn.mock.calls.map(([, sentence]) => sentence))).toEqual(
      new Set(['A tool of the MCP server is left out: it has no name or no schema.']),
    );
    expect(warn).toHaveBeenCalledTimes(4);
  });

  it('whose tool has a name that was taken meanwhile loses that tool alone', async () => {
    const registry = new ToolRegistry();
    const tools: object[] = [];
    const { names, server } = await connect(
      (method) => (method === 'tools/list' ? { result: { tools } } : NO_METHOD),
      [],
      registry,
    );
    registry.register({ ...noteTool, name: 's_echo' }, 'Host');
    tools.push(ECHO, { name: 'other', inputSchema: {} });
    await server.refresh();
    expect(names()).toEqual(['s_echo', 's_other']);
    expect(registry.get('s_echo')?.description).toBe('Of the host.');
  });

  it.each<[string, readonly (object | string)[]]>([
    [
      'behind notifications that are unknown',
      [
        { method: 'notifications/unheard', params: {} },
        { method: 'notifications/progress', params: { progressToken: 99, progress: 1 } },
        HELLO,
      ],
    ],
    ['twice', [HELLO, HELLO]],
    ['with another answer to nothing that was asked', [{ id: 4_711, result: {} }, HELLO]],
    [
      'with odd fields',
      [
        {
          result: {
            content: [{ type: 'text', text: 'hello', annotations: 7 }],
            structuredContent: [],
            isError: null,
            _meta: {},
          },
        },
      ],
    ],
  ])('that answers a call %s is understood, and there', async (_name, stream) => {
    const { call, names } = await connect((method) => (method === 'tools/call' ? { stream } : NO_METHOD));
    expect(await call('s_echo')).toBe('hello');
    expect(await call('s_echo')).toBe('hello');
    expect(names()).toEqual(['s_echo']);
  });

  it.each<[string, McpAnswer]>([
    ['without content', { result: {} }],
    ['with content that is none', { result: { content: 'hello' } }],
    [
      'with parts that are none',
      {
        result: {
          content: [{}, { type: 'image' }, { type: 'text', text: null }, { type: 'resource', resource: {} }],
        },
      },
    ],
  ])('that answers a call %s gives the model what there is', async (_name, answer) => {
    const { call } = await connect((method) => (method === 'tools/call' ? answer : NO_METHOD));
    expect(typeof (await call('s_echo'))).toBe('string');
  });

  it.each<[string, (page: number) => string]>([
    ['that goes in circles', (page) => `page-${page % 3}`],
    ['without an end', (page) => `page-${page}`],
  ])("stops reading an MCP server's list of tools %s", async (_name, toCursor) => {
    let page = 0;
    const { asked, names } = await connect((method, { cursor }) => {
      if (method !== 'tools/list') return NO_METHOD;
      page += 1;
      return { result: { tools: cursor === undefined ? [ECHO] : [], nextCursor: toCursor(page) } };
    }, []);
    expect(names()).toEqual(['s_echo']);
    expect(asked.filter((method) => method === 'tools/list').length).toBeLessThanOrEqual(101);
  });

  it('passes images and text of resources to the model, and a note to people', async () => {
    const image = { type: 'image', data: 'aGk=', mimeType: 'image/png' };
    const resource = { type: 'resource', resource: { uri: 'file:///a.txt', text: 'In the file.' } };
    const blob = {
      type: 'resource',
      resource: { uri: 'file:///b.png', blob: 'aGk=', mimeType: 'image/png' },
    };
    const audio = { type: 'audio', data: 'aGk=', mimeType: 'audio/wav' };
    const { call } = await connect((method) =>
      method === 'ping' ? NO_METHOD : { result: { content: [image, resource, blob, audio] } },
    );
    expect(await call('s_echo')).toEqual(
      new MediaResult('[image: image/png]\nIn the file.\n[resource: file:///b.png]\n[audio: audio/wav]', [
        { data: 'aGk=', mimeType: 'image/png' },
        { data: 'aGk=', mimeType: 'image/png' },
      ]),
    );
  });
});
