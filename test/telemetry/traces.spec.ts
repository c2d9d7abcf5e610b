import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { PostgresServer } from '../harness/cluster/postgres.server.js';
import { obedientModel } from '../security/obedient.model.js';
import { AppProcess } from '../page/support/app.process.js';
import { EventStream } from '../support/event-stream.js';
import { OtlpReceiver, type ReceivedSpan } from '../support/otlp.receiver.js';
import { until } from '../support/until.js';

const ASKER = { traceId: '1'.repeat(32), spanId: '2'.repeat(16) };
const ANSWERER = { traceId: '3'.repeat(32), spanId: '4'.repeat(16) };
const toHeaders = ({ traceId, spanId }: typeof ASKER) => ({ traceparent: `00-${traceId}-${spanId}-01` });

const PROBLEM = 'What is 6 * 7?';

/** Between two words of an answer that is cut in its middle: a busy machine may need a while to do so. */
const PACE_MS = '1000';

class Asked extends AppProcess {
  ask(body: unknown, headers: Record<string, string> = {}): Promise<EventStream> {
    return EventStream.open(`${this.origin}/api/chat`, { method: 'POST', body, headers });
  }

  watch(runId: unknown): Promise<EventStream> {
    return EventStream.open(`${this.origin}/api/chat/runs/${String(runId)}/events`);
  }

  post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(`${this.origin}/api/chat/runs/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  }
}

describe('traces of the standalone app', () => {
  const model = obedientModel();
  const processes: Asked[] = [];
  let directory: string;
  let receiver: OtlpReceiver;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'traces-'));
    receiver = await OtlpReceiver.start();
  });

  afterEach(async () => {
    for (const process of processes.splice(0)) await process.kill();
    await receiver.close();
    await rm(directory, { recursive: true, force: true });
  });

  const start = async (settings: Record<string, string> = {}): Promise<Asked> => {
    const process = new Asked({
      DATA_DIR: directory,
      DEMO_PACE_MS: '0',
      DRAIN_SECONDS: '0',
      ...receiver.variables,
      ...settings,
    });
    processes.push(process);
    await process.start();
    return process;
  };

  const received = async (prefix: string, count: number): Promise<readonly ReceivedSpan[]> => {
    await until(() => receiver.named(prefix).length >= count, `${count} spans ${prefix}`);
    return receiver.named(prefix);
  };

  it('puts a run, its model calls, its tool calls and its last commit into one trace, linked to the request', async () => {
    const app = await start();
    const stream = await app.ask({ message: PROBLEM }, toHeaders(ASKER));
    await stream.closed();
    const [agent] = await received('invoke_agent', 1);
    const [begun] = await received('start_run', 1);
    await received('commit_events', 1);
    expect(begun).toMatchObject({ parentSpanId: undefined, links: [ASKER] });
    expect(begun!.traceId).not.toBe(ASKER.traceId);
    expect(agent).toMatchObject({
      name: 'invoke_agent assistant',
      parentSpanId: begun!.spanId,
      status: 0,
      attributes: {
        'gen_ai.operation.name': 'invoke_agent',
        'gen_ai.agent.name': 'assistant',
        'agent_stream.run.outcome': 'completed',
        'agent_stream.run.acquisition': 'start',
      },
    });
    const children = receiver.spans.filter(({ parentSpanId }) => parentSpanId === agent!.spanId);
    expect(children.map(({ name }) => name)).toEqual([
      'chat demo',
      'execute_tool calculator',
      'chat demo',
      'commit_events',
    ]);
    expect(new Set(receiver.spans.map(({ traceId }) => traceId))).toEqual(new Set([begun!.traceId]));
    expect(children[0]).toMatchObject({
      kind: 3,
      attributes: {
        'gen_ai.provider.name': 'demo',
        'gen_ai.request.model': 'demo',
        'gen_ai.response.model': 'demo',
        'gen_ai.request.stream': true,
        'gen_ai.response.finish_reasons': ['tool_calls'],
        'gen_ai.response.time_to_first_chunk': expect.any(Number),
        'gen_ai.usage.input_tokens': expect.any(Number),
        'gen_ai.usage.output_tokens': expect.any(Number),
      },
    });
    expect(children[1]!.attributes).toMatchObject({
      'gen_ai.tool.type': 'function',
      'agent_stream.tool.outcome': 'ok',
    });
    expect(JSON.stringify(receiver.spans)).not.toContain('6 * 7');
  });

  it('puts what was said onto spans only if TELEMETRY_CONTENT says so', async () => {
    const app = await start({ TELEMETRY_CONTENT: 'true' });
    await (await app.ask({ message: PROBLEM })).closed();
    await received('invoke_agent', 1);
    const [first, second] = receiver.named('chat');
    const [tool] = receiver.named('execute_tool');
    expect(JSON.parse(String(first!.attributes['gen_ai.input.messages']))).toContainEqual({
      role: 'user',
      parts: [{ type: 'text', content: PROBLEM }],
    });
    expect(String(first!.attributes['gen_ai.output.messages'])).toContain('tool_call');
    expect(String(second!.attributes['gen_ai.output.messages'])).toContain('42');
    expect(String(tool!.attributes['gen_ai.tool.call.arguments'])).toContain('6 * 7');
    expect(String(tool!.attributes['gen_ai.tool.call.result'])).toContain('42');
  });

  it('keeps one trace when the process is killed in the middle of a run and the next one takes it over', async () => {
    const first = await start({ DEMO_PACE_MS: PACE_MS });
    const stream = await first.ask({ message: PROBLEM }, toHeaders(ASKER));
    await expectOneTrace(stream, () => start(), first, 'restart');
  });

  describe('on PostgreSQL', () => {
    let server: PostgresServer;
    beforeAll(async () => {
      server = await PostgresServer.start();
    });
    afterAll(() => server?.stop());

    it('keeps one trace when another process takes over the run of one that was killed', async () => {
      const first = await start({ DATABASE_URL: server.url, DEMO_PACE_MS: PACE_MS });
      // A run begins at once in the process that is asked.
      const second = await start({ DATABASE_URL: server.url });
      const stream = await first.ask({ message: PROBLEM }, toHeaders(ASKER));
      await expectOneTrace(stream, async () => second, first, 'takeover');
    });
  });

  async function expectOneTrace(
    stream: EventStream,
    startNext: () => Promise<Asked>,
    first: Asked,
    acquisition: string,
  ): Promise<void> {
    await received('execute_tool', 1);
    await received('start_run', 1);
    await stream.frame('text-delta');
    await first.kill();
    const { data } = await stream.frame('ready');
    const next = await startNext();
    await (await next.watch(data['runId'])).closed();
    const [agent] = await received('invoke_agent', 1);
    const [begun] = receiver.named('start_run');
    expect(begun).toMatchObject({ parentSpanId: undefined, links: [ASKER] });
    expect(agent).toMatchObject({
      parentSpanId: begun!.spanId,
      attributes: { 'agent_stream.run.acquisition': acquisition, 'agent_stream.run.outcome': 'completed' },
    });
    expect(agent!.instance).not.toBe(begun!.instance);
    expect(new Set(receiver.spans.map(({ traceId }) => traceId))).toEqual(new Set([begun!.traceId]));
    // What the killed owner had done before is in the trace, under a span that it could not send any more.
    expect(
      receiver.spans.filter(({ instance }) => instance === begun!.instance).map(({ name }) => name),
    ).toEqual(['start_run assistant', 'chat demo', 'execute_tool calculator']);
  }

  it('continues the trace with the approval of another request, in another process', async () => {
    const settings = { APPROVAL_TOOLS: 'calculator' };
    const first = await start(settings);
    const stream = await first.ask({ message: PROBLEM }, toHeaders(ASKER));
    await stream.closed();
    const { data: ready } = await stream.frame('ready');
    const { data: request } = await stream.frame('input-request');
    await received('invoke_agent', 1);
    await first.stop();

    const next = await start(settings);
    const answered = await next.post(
      `${String(ready['runId'])}/inputs/${String(request['inputId'])}`,
      { decision: 'approve' },
      toHeaders(ANSWERER),
    );
    expect(answered.status).toBeLessThan(300);
    const [waiting, continued] = await received('invoke_agent', 2);
    const [asked, goesOn] = receiver.named('start_run');
    expect(waiting).toMatchObject({
      status: 0,
      attributes: { 'agent_stream.run.outcome': 'awaiting-input' },
    });
    expect(waiting!.attributes['error.type']).toBeUndefined();
    expect(goesOn).toMatchObject({
      traceId: asked!.traceId,
      parentSpanId: asked!.spanId,
      links: [ANSWERER],
      attributes: { 'agent_stream.run.continued': ready['runId'] },
    });
    expect(continued).toMatchObject({
      traceId: asked!.traceId,
      parentSpanId: goesOn!.spanId,
      attributes: { 'agent_stream.run.outcome': 'completed' },
    });
    expect(continued!.instance).not.toBe(waiting!.instance);
  });

  it('sends the provider of the model the span of the call, and pages only if they are on the list', async () => {
    const pages = await OtlpReceiver.start();
    const host = new URL(pages.variables['OTEL_EXPORTER_OTLP_ENDPOINT']!).host;
    model.wish('read', [{ name: 'http_fetch', arguments: { url: `http://${host}/page` } }]);
    const settings = { ...model.settings, FETCH_PRIVATE_HOSTS: host };
    const [listed, other] = [
      await start({ ...settings, TRACE_CONTEXT_HOSTS: '127.0.0.1' }),
      await start({ ...settings, TRACE_CONTEXT_HOSTS: '*.example.com', DATA_DIR: join(directory, 'other') }),
    ];
    await (await listed.ask({ message: 'read' })).closed();
    await received('invoke_agent', 1);
    const [tool] = receiver.named('execute_tool');
    expect(pages.heard.at(-1)).toMatchObject({
      url: '/page',
      headers: { traceparent: `00-${tool!.traceId}-${tool!.spanId}-01` },
    });
    const calls = receiver.named('chat').map(({ traceId, spanId }) => `00-${traceId}-${spanId}-01`);
    expect(model.headers.map(({ traceparent }) => traceparent)).toEqual(calls);

    await (await other.ask({ message: 'read' })).closed();
    expect(pages.heard.at(-1)?.headers).not.toHaveProperty('traceparent');
    await pages.close();
  });

  it('names our code as the error of a run and of its model call, and no error for a cancelled run', async () => {
    model.fail('broken', 401);
    const app = await start(model.settings);
    await (await app.ask({ message: 'broken' })).closed();
    const [failed] = await received('invoke_agent', 1);
    expect(failed).toMatchObject({ status: 2, attributes: { 'error.type': 'MODEL_REFUSED' } });
    expect(receiver.named('chat')[0]).toMatchObject({
      status: 2,
      attributes: { 'error.type': 'MODEL_REFUSED' },
    });

    const demo = await start({ DATA_DIR: join(directory, 'demo'), DEMO_PACE_MS: PACE_MS });
    const stream = await demo.ask({ message: PROBLEM });
    const { data } = await stream.frame('ready');
    await stream.frame('text-delta');
    await demo.post(`${String(data['runId'])}/cancel`, {});
    await stream.closed();
    const [, cancelled] = await received('invoke_agent', 2);
    expect(cancelled).toMatchObject({ status: 0, attributes: { 'agent_stream.run.outcome': 'cancelled' } });
    for (const span of receiver.spans.filter(({ traceId }) => traceId === cancelled!.traceId))
      expect(span.attributes['error.type']).toBeUndefined();
  });

  it('sends what is left when it is stopped', async () => {
    const app = await start({ OTEL_BSP_SCHEDULE_DELAY: '100000' });
    await (await app.ask({ message: PROBLEM })).closed();
    expect(receiver.spans).toEqual([]);
    await app.stop();
    expect(receiver.named('invoke_agent')).toHaveLength(1);
  });

  it('warns that its packages are missing, and refuses METRICS_PORT without them', async () => {
    const hiding = new URL('./without-opentelemetry.mjs', import.meta.url).href;
    const without = { NODE_OPTIONS: `--import=${hiding}` };
    const app = await start(without);
    await (await app.ask({ message: PROBLEM })).closed();
    const warning = app.log.find(({ context }) => context === 'Telemetry');
    expect(warning?.['msg']).toMatch(/npm i @opentelemetry\/api @opentelemetry\/sdk-node/);
    await expect(
      start({ ...without, METRICS_PORT: '9464', DATA_DIR: join(directory, 'other') }),
    ).rejects.toThrow(/METRICS_PORT needs packages that are not installed: npm i @opentelemetry\/api/);
  });
});
