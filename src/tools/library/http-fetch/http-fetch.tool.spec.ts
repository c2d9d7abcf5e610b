import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from '@jest/globals';
import { expose } from '../../exposure.js';
import { agentToolOptions } from '../../agent-tool.decorator.js';
import { callContext } from '../../tool.testing.js';
import { HttpFetchTool } from './http-fetch.tool.js';

it('reads a page as text and hides address and text from viewers', async () => {
  const server = createServer((_, response) =>
    response.writeHead(200, { 'content-type': 'text/html' }).end('<title>T</title><h1>Hello</h1>'),
  );
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const tool = new HttpFetchTool({ knowledgeDirectory: '', httpFetch: { privateHosts: [host] } });
  const output = await tool.read({ url: `http://${host}/?token=1` }, callContext());
  server.close();

  expect(output).toMatchObject({ status: 200, text: 'T\n\n# Hello', truncated: false });
  const { expose: exposure, label } = agentToolOptions(HttpFetchTool.prototype, 'read')!;
  expect(expose(exposure?.output, output)).toEqual({
    status: 200,
    contentType: 'text/html',
    truncated: false,
  });
  expect((label as (input: object) => string)({ url: 'https://a:b@example.com/x?token=1' })).toBe(
    'Reading example.com…',
  );
  expect((label as (input: object) => string)({ url: 'no url' })).toBe('Reading a page…');
});
