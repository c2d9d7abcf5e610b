import { describe, expect, it } from '@jest/globals';
import type { ChatModuleOptions } from '../src/index.js';
import { InputExpiry } from '../src/runs/input-expiry.js';
import { payingServers } from './protocols/approvals.server.js';
import type { ChatServer } from './support/chat.server.js';

const ANN = { 'x-api-key': 'ann-0123456789abcdef' };
const BOB = { 'x-api-key': 'bob-0123456789abcdef' };

interface Waiting {
  readonly runId: string;
  readonly threadId: string;
  readonly ids: readonly string[];
}

describe('approvals over HTTP', () => {
  const servers = payingServers();
  const start = (approvals?: ChatModuleOptions['approvals']) =>
    servers({
      ...(approvals && { approvals }),
      auth: {
        kind: 'credentials',
        apiKeys: [ANN, BOB].map((header) => ({
          key: header['x-api-key'],
          userId: header['x-api-key'].slice(0, 3),
          tenant: 'acme',
        })),
      },
    });

  async function waiting(server: ChatServer, message: string, threadId?: string): Promise<Waiting> {
    const stream = await server.ask({ message, ...(threadId && { threadId }) }, ANN);
    await stream.closed();
    expect(stream.events.at(-1)?.data).toMatchObject({ type: 'end', outcome: 'awaiting-input' });
    const requests = stream.events.filter(({ event }) => event === 'input-request');
    const { data } = await stream.frame('ready');
    const ids = requests.map(({ data: request }) => String(request['inputId']));
    return { runId: String(data['runId']), threadId: String(data['threadId']), ids };
  }

  const answer = (server: ChatServer, { runId }: Waiting, id: string | undefined, body: unknown, who = ANN) =>
    server.call('POST', `/runs/${runId}/inputs/${String(id)}`, body, who);

  async function words(server: ChatServer, runId: unknown): Promise<string> {
    const stream = await server.watch(String(runId), undefined, { headers: ANN });
    await stream.closed();
    return stream.text;
  }

  it('stops a run until a person has decided on every call, and continues it with the decisions', async () => {
    const server = await start();
    const run = await waiting(server, 'Pay 50, 5 and 500.');
    expect(run.ids).toHaveLength(2);
    const { body: before } = await server.call('GET', `/runs/${run.runId}`, undefined, ANN);
    expect(before).toMatchObject({
      status: 'awaiting-input',
      inputs: [
        { inputId: run.ids[0], toolName: 'pay', label: 'Paying Eve…', input: { to: 'Eve', amount: 50 } },
        { inputId: run.ids[1], input: { to: 'Eve', amount: 500 } },
      ],
    });

    const first = await answer(server, run, run.ids[1], {
      decision: 'edit',
      input: { to: 'Eve', amount: 499 },
    });
    expect(first.status).toBe(200);
    expect(first.body).not.toHaveProperty('continuedBy');
    const last = await answer(server, run, run.ids[0], { decision: 'approve' });
    expect(last.body).toMatchObject({
      run: { inputs: [{ answer: { decision: 'approve', by: 'ann' } }, { answer: { by: 'ann' } }] },
    });
    const { runId, threadId, eventsUrl } = last.body['continuedBy'] as Record<string, string>;
    expect({ threadId, eventsUrl }).toEqual({
      threadId: run.threadId,
      eventsUrl: `/api/chat/runs/${runId}/events`,
    });
    const link = async (id: unknown) =>
      (await server.call('GET', `/runs/${String(id)}`, undefined, ANN)).body;
    expect(await link(run.runId)).toMatchObject({ status: 'awaiting-input', continuedBy: runId });
    expect(await link(runId)).toMatchObject({ resumeOf: run.runId });
    const { body: list } = await server.call('GET', '/runs', undefined, ANN);
    expect(list['items']).toMatchObject([{ resumeOf: run.runId }, { continuedBy: runId }]);
    expect(await words(server, runId)).toMatch(/^\[50 to Eve\]\[5 to Eve\]\[\{.*"result":"499 to Eve"\}\]$/);
  });

  it('shows a denied approval and the run that continues after it as one conversation', async () => {
    const server = await start();
    const run = await waiting(server, 'Pay 50.');
    const { body } = await answer(server, run, run.ids[0], { decision: 'deny', reason: 'Too much.' });
    const { runId } = body['continuedBy'] as { runId: string };
    await words(server, runId);
    const { body: thread } = await server.call('GET', `/threads/${run.threadId}`, undefined, ANN);
    const messages = thread['messages'] as readonly Record<string, unknown>[];
    expect(messages).toMatchObject([
      { role: 'user', text: 'Pay 50.' },
      {
        role: 'assistant',
        runId: run.runId,
        view: {
          parts: [
            { kind: 'text', text: 'Let me pay.' },
            { kind: 'approval', decision: 'deny', by: 'ann' },
          ],
        },
      },
      {
        role: 'assistant',
        runId,
        resumeOf: run.runId,
        text: "[The call of 'pay' was not approved. Too much.]",
      },
    ]);
    expect(messages[1]?.['id']).toBe(messages[2]?.['id']);
  });

  it("accepts a valid decision of the run's owner only, and the same decision twice", async () => {
    const server = await start();
    const run = await waiting(server, 'Pay 50.');
    const approve = { decision: 'approve' };
    expect(await answer(server, run, run.ids[0], approve, BOB)).toMatchObject({ status: 404 });
    expect(await answer(server, run, 'nothing', approve)).toMatchObject({ status: 404 });
    for (const nonsense of [
      {},
      { decision: 'maybe' },
      { decision: 'edit' },
      { ...approve, input: {} },
      [],
      '"yes"',
    ]) {
      expect(await answer(server, run, run.ids[0], nonsense)).toMatchObject({
        status: 400,
        body: { code: 'REQUEST_INVALID' },
      });
    }
    const misfit = { decision: 'edit', input: { to: 'Eve', amount: 'all' } };
    const { status, body } = await answer(server, run, run.ids[0], misfit);
    expect([status, body['detail']]).toEqual([400, expect.stringMatching(/do not fit 'pay'[\s\S]*amount/)]);

    expect(await answer(server, run, run.ids[0], approve)).toMatchObject({ status: 200 });
    expect(await answer(server, run, run.ids[0], approve)).toMatchObject({ status: 200 });
    expect(await answer(server, run, run.ids[0], { decision: 'deny' })).toMatchObject({
      status: 409,
      body: { code: 'INPUT_CLOSED' },
    });
  });

  it('denies a pending approval when a new message comes, or rejects the message if so configured', async () => {
    const server = await start();
    const run = await waiting(server, 'Pay 50.');
    const next = await server.ask({ message: 'Never mind.', threadId: run.threadId }, ANN);
    await next.closed();
    expect(next.text).toBe('Well.');
    expect(await answer(server, run, run.ids[0], { decision: 'approve' })).toMatchObject({
      status: 409,
      body: { code: 'INPUT_CLOSED' },
    });

    const strict = await start({ whenAwaiting: 'reject' });
    const open = await waiting(strict, 'Pay 50.');
    const { status, body } = await strict.call(
      'POST',
      '/runs',
      { message: 'Never mind.', threadId: open.threadId },
      ANN,
    );
    expect([status, body['code'], body['runId']]).toEqual([409, 'INPUT_PENDING', open.runId]);
  });

  it('denies approvals after their deadline, and tells the agent that there was no decision in time', async () => {
    const server = await start({ expiresInMs: 1 });
    const run = await waiting(server, 'Pay 50 and 60.');
    expect(await answer(server, run, run.ids[0], { decision: 'approve' })).toMatchObject({
      status: 409,
      body: { code: 'INPUT_CLOSED', detail: expect.stringContaining('It has expired.') },
    });
    await server.app.get(InputExpiry).sweep();
    const { body } = await server.call('GET', `/threads/${run.threadId}`, undefined, ANN);
    const messages = body['messages'] as readonly { runId: string; resumeOf?: string }[];
    expect(messages.at(-1)?.resumeOf).toBe(run.runId);
    const denied = "[The call of 'pay' was not approved. There was no decision in time.]";
    expect(await words(server, messages.at(-1)?.runId)).toBe(denied + denied);
  });

  it("asks before a tool that the module's approvals name, and rejects a name without a tool", async () => {
    const server = await start({ tools: ['pay'] });
    // Its author has said which calls wait.
    const stream = await server.ask({ message: 'Pay 5.' }, ANN);
    await stream.closed();
    expect(stream.text).toBe('Let me pay.[5 to Eve]');
    await expect(start({ tools: ['pya'] })).rejects.toThrow(
      "approvals names the tool 'pya', which is not there. There are: pay.",
    );
  });
});
