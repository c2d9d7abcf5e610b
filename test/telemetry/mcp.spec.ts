import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { ScriptedAgent } from '../../src/testing/scripted.agent.js';
import { startMcp } from '../../src/tools/mcp/scripted-mcp.testing.js';
import { chatServers } from '../support/chat.server.js';

/** The parts of an ended span that are looked at here. */
interface EndedSpan {
  readonly name: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  spanContext(): { readonly traceId: string; readonly spanId: string };
}

describe('trace of a call of an MCP server', () => {
  const start = chatServers();
  const ended: EndedSpan[] = [];
  const sdk = new NodeSDK({
    spanProcessors: [
      {
        onStart: () => undefined,
        onEnd: (span) => void ended.push(span),
        forceFlush: async () => undefined,
        shutdown: async () => undefined,
      },
    ],
    metricReaders: [],
    logRecordProcessors: [],
    autoDetectResources: false,
  });
  beforeAll(() => sdk.start());
  afterAll(() => sdk.shutdown());

  /** Returns the headers of the call of a server's tool, by an agent of a module with this list of hosts. */
  async function headersOfCall(propagateTo: readonly string[]) {
    const tools = [{ name: 'echo', inputSchema: { type: 'object' } }];
    const mcp = await startMcp((method) =>
      method === 'tools/list'
        ? { result: { tools } }
        : { result: { content: [{ type: 'text', text: 'Hi.' }] } },
    );
    const server = await start({
      mcp: [{ name: 's', transport: { url: mcp.url }, defaults: { effects: 'none' } }],
      telemetry: { propagateTo },
      agents: ({ tracking }) => [
        new ScriptedAgent(async (_, context) => {
          const call = { toolCallId: 'c1', toolName: 's_echo', stepId: 'step', args: {} };
          expect(await tracking.call(call, context)).toMatchObject({ outcome: 'ok' });
        }),
      ],
    });
    await server.finishedRun();
    const headers = mcp.headers[mcp.asked.indexOf('tools/call')]!;
    await server.close();
    await mcp.close();
    return headers;
  }

  it('says that it is one, and is sent to the server if its host is on the list', async () => {
    const headers = await headersOfCall(['127.0.0.1']);
    const span = ended.find(({ name }) => name === 'execute_tool s_echo')!;
    const { traceId, spanId } = span.spanContext();
    expect(headers['traceparent']).toBe(`00-${traceId}-${spanId}-01`);
    expect(span.attributes).toMatchObject({
      'gen_ai.tool.type': 'extension',
      'mcp.method.name': 'tools/call',
      'agent_stream.mcp.server': 's',
    });
  });

  it('is not sent to a server that is not on the list', async () => {
    expect(await headersOfCall([])).not.toHaveProperty('traceparent');
    expect(await headersOfCall(['*.example.com'])).not.toHaveProperty('traceparent');
  });
});
