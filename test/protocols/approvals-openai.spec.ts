import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import OpenAI, { APIError } from 'openai';
import type { Response, ResponseInputItem } from 'openai/resources/responses/responses';
import { SqliteStorage } from '../../src/storage/sqlite/sqlite.storage.js';
import { gate, type ChatServer } from '../support/chat.server.js';
import { collected } from '../support/collected.js';
import { payingServers, listRuns } from './approvals.server.js';

const openAi = (server: ChatServer) =>
  new OpenAI({
    baseURL: `${new URL(server.url).origin}/protocols/openai/v1`,
    apiKey: 'none',
    maxRetries: 0,
  });

const requestsIn = ({ output }: Response) =>
  output.flatMap((item) => (item.type === 'mcp_approval_request' ? [item] : []));
const callsIn = ({ output }: Response) => output.flatMap((item) => (item.type === 'mcp_call' ? [item] : []));

type Said = boolean | string | undefined;

/** Answers in the order of the requests: yes, no, no with a reason, or nothing. */
const answersTo = (asked: Response, ...said: readonly Said[]): ResponseInputItem[] =>
  requestsIn(asked).flatMap(({ id: approval_request_id }, index): ResponseInputItem[] => {
    const answer = said[index];
    if (answer === undefined) return [];
    const reason = typeof answer === 'string' ? { reason: answer } : {};
    return [{ type: 'mcp_approval_response', approval_request_id, approve: answer === true, ...reason }];
  });

async function catchRefusal(call: PromiseLike<unknown>): Promise<unknown[]> {
  const error = await Promise.resolve(call).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof APIError)) throw new Error('It was not refused.', { cause: error });
  return [error.status, error.code];
}

describe('approvals in OpenAI Responses', () => {
  const serve = payingServers();

  const ask = (server: ChatServer, input: string) =>
    openAi(server).responses.create({ model: 'chat', input, conversation: 'conversation-1' });
  const answer = (server: ChatServer, asked: Response, ...said: readonly Said[]) =>
    openAi(server).responses.create({
      model: 'chat',
      previous_response_id: asked.id,
      input: answersTo(asked, ...said),
    });

  it('shows an approval as an output item, and makes the call in the response to the decision', async () => {
    const server = await serve();
    const asked = await ask(server, 'Pay 50 and 5.');
    expect(asked.status).toBe('completed');
    expect(requestsIn(asked)).toMatchObject([
      { name: 'pay', server_label: 'tools', arguments: '{"to":"Eve","amount":50}' },
    ]);

    const next = await answer(server, asked, true);
    expect(next).toMatchObject({ status: 'completed', previous_response_id: asked.id });
    expect(callsIn(next)).toMatchObject([
      { output: '50 to Eve', status: 'completed', approval_request_id: requestsIn(asked)[0]!.id },
    ]);
    expect(next.output_text).toBe('[50 to Eve][5 to Eve]');
    expect(await openAi(server).responses.retrieve(next.id)).toMatchObject({ output: next.output });

    const thanks = await openAi(server).responses.create({
      model: 'chat',
      previous_response_id: next.id,
      input: 'Thanks.',
    });
    expect(thanks.output_text).toBe('Well.');
  });

  it('streams the response to a decision, which can be read again after any event', async () => {
    const server = await serve();
    const asked = await ask(server, 'Pay 50.');
    const stream = openAi(server).responses.stream({
      model: 'chat',
      previous_response_id: asked.id,
      input: answersTo(asked, true),
    });
    const events = await collected(stream);
    const final = await stream.finalResponse();
    expect(callsIn(final as Response)).toMatchObject([{ output: '50 to Eve' }]);
    const again = await openAi(server).responses.retrieve(final.id, { stream: true, starting_after: 3 });
    const rest = await collected(again);
    expect(rest.map((event) => event.sequence_number)).toEqual(
      events.slice(4).map((event) => event.sequence_number),
    );
  });

  it('denies one call with a reason and makes the approved one', async () => {
    const server = await serve();
    const asked = await ask(server, 'Pay 50 and 500.');
    const next = await answer(server, asked, true, 'Too much.');
    expect(new Set(callsIn(next).map(({ status }) => status))).toEqual(new Set(['completed', 'failed']));
    expect(next.output_text).toBe("[50 to Eve][The call of 'pay' was not approved. Too much.]");
  });

  it('continues the run once when the same decision comes again, and refuses a different one', async () => {
    const server = await serve();
    const asked = await ask(server, 'Pay 50.');
    const [one, two] = await Promise.all([answer(server, asked, true), answer(server, asked, true)]);
    const three = await openAi(server).responses.create({
      model: 'chat',
      conversation: 'conversation-1',
      input: answersTo(asked, true),
    });
    expect([two.id, three.id]).toEqual([one.id, one.id]);
    expect(await listRuns(server, 'conversation-1')).toHaveLength(2);
    expect(await catchRefusal(answer(server, asked, false))).toEqual([409, 'INPUT_CLOSED']);
  });

  it('continues an approved run in the background, where two viewers read the same events', async () => {
    const paid = gate();
    const server = await serve({ hold: () => paid.opened });
    const asked = await ask(server, 'Pay 50.');
    const begun = await openAi(server).responses.create({
      model: 'chat',
      previous_response_id: asked.id,
      input: answersTo(asked, true),
      background: true,
    });
    const viewers = await Promise.all(
      [0, 1].map(() => openAi(server).responses.retrieve(begun.id, { stream: true })),
    );
    const watched = Promise.all(viewers.map((viewer) => collected(viewer)));
    paid.open();
    const [one, two] = await watched;
    expect(two).toEqual(one);
    expect(one!.at(-1)).toMatchObject({ type: 'response.completed' });
  });

  it('accepts a decision in another process on the same storage', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'approvals-'));
    try {
      const asking = await serve({ storage: new SqliteStorage({ directory }) });
      const asked = await ask(asking, 'Pay 50.');
      await asking.close();
      const answering = await serve({ storage: new SqliteStorage({ directory }) });
      expect(callsIn(await answer(answering, asked, true))).toMatchObject([{ output: '50 to Eve' }]);
      await answering.close();
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it('refuses decisions that are missing, unknown or late, and records none of them', async () => {
    const server = await serve();
    const asked = await ask(server, 'Pay 50 and 500.');
    const { responses } = openAi(server);
    const to = { model: 'chat', previous_response_id: asked.id };
    const forged = { type: 'mcp_approval_response', approval_request_id: 'forged', approve: true } as const;
    const all = answersTo(asked, true, true);
    expect(await catchRefusal(answer(server, asked, true))).toEqual([400, 'REQUEST_INVALID']);
    expect(await catchRefusal(responses.create({ ...to, input: [...all, forged] }))).toEqual([
      404,
      'NOT_FOUND',
    ]);
    expect(await catchRefusal(responses.create({ model: 'chat', input: all }))).toEqual([
      400,
      'REQUEST_INVALID',
    ]);
    const spoken = [...all, { role: 'user' as const, content: 'And?' }];
    expect(await catchRefusal(responses.create({ ...to, input: spoken }))).toEqual([400, 'REQUEST_INVALID']);
    expect(await listRuns(server, 'conversation-1')).toHaveLength(1);

    await responses.create({ ...to, input: 'Never mind.' });
    expect(await catchRefusal(answer(server, asked, true, true))).toEqual([409, 'INPUT_CLOSED']);
  });

  it('describes an approval as text in Chat Completions, which cannot take a decision', async () => {
    const server = await serve();
    const completion = await openAi(server).chat.completions.create({
      model: 'chat',
      messages: [{ role: 'user', content: 'Pay 50.' }],
    });
    expect(completion.choices[0]).toMatchObject({
      message: { content: 'Let me pay.\n\nThis needs an approval: Paying Eve…' },
      finish_reason: 'stop',
    });
  });
});
