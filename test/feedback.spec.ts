import { describe, expect, it, jest } from '@jest/globals';
import type { RunHooks } from '../src/runs/run.hooks.js';
import { createAnswer } from '../src/testing/scripted.agent.js';
import { chatServers, type ChatServer, type ChatServerOptions } from './support/chat.server.js';
import { sayOneByOne } from './support/plays.js';
import { until } from './support/until.js';

const key = (user: string) => ({ 'x-api-key': `${user}-0123456789abcdef` });
const OPS = key('ops');
const LEAD = key('lead');
const ANN = key('ann');
const EVE = key('eve');

const options: ChatServerOptions = {
  play: (_, context) => sayOneByOne(context, createAnswer(context, ['Forty-', 'two.'])),
  operatorRoles: ['operator'],
  tenantOperatorRoles: ['lead'],
  auth: {
    kind: 'credentials',
    apiKeys: [
      { key: OPS['x-api-key'], userId: 'ops', tenant: 'ops', roles: ['operator'] },
      { key: LEAD['x-api-key'], userId: 'lead', tenant: 'acme', roles: ['lead'] },
      { key: ANN['x-api-key'], userId: 'ann', tenant: 'acme' },
      { key: EVE['x-api-key'], userId: 'eve', tenant: 'globex' },
    ],
  },
};

async function ask(server: ChatServer, headers = ANN) {
  const stream = await server.ask({ message: 'A secret question' }, headers);
  const { data } = await stream.frame('ready');
  await stream.closed();
  return { threadId: String(data['threadId']), runId: String(data['runId']) };
}

function rate(server: ChatServer, runId: string, feedback: object, headers = ANN) {
  return server.call('PUT', `/runs/${runId}/feedback`, feedback, headers);
}

async function readExport(server: ChatServer, query = '', headers = OPS) {
  const response = await fetch(`${server.url}/operator/feedback${query}`, { headers });
  const text = await response.text();
  if (!response.ok) return { status: response.status, text, lines: [] };
  const lines = text.split('\n').filter(Boolean);
  return { status: 200, text, lines: lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

describe('feedback', () => {
  const serve = chatServers();

  it('stands at the run, in the thread, in lists and in the log as a file, until it is withdrawn', async () => {
    const server = await serve(options);
    const { runId, threadId } = await ask(server);
    const given = { rating: 'down', comment: '  Wrong,\nand "rude" 😀  ' };
    const { status, body } = await rate(server, runId, given);
    expect(status).toBe(200);
    const feedback = { rating: 'down', comment: 'Wrong,\nand "rude" 😀', at: expect.any(Number) };
    expect(body).toMatchObject({ id: runId, message: 'A secret question', feedback });

    const read = async () => {
      const [run, thread, list] = await Promise.all([
        server.call('GET', `/runs/${runId}`, undefined, ANN),
        server.call('GET', `/threads/${threadId}`, undefined, ANN),
        server.call('GET', '/runs', undefined, ANN),
      ]);
      const log = await fetch(`${server.url}/runs/${runId}/log`, { headers: ANN });
      const [head] = (await log.text()).split('\n');
      return [
        run.body,
        (thread.body['messages'] as object[]).at(-1),
        (list.body['items'] as object[])[0],
        (JSON.parse(head ?? '') as { run: object }).run,
      ];
    };
    for (const shown of await read()) expect(shown).toMatchObject({ feedback });

    await rate(server, runId, { rating: 'up' });
    for (const shown of await read())
      expect(shown).toHaveProperty('feedback', { rating: 'up', at: expect.any(Number) });

    const remove = () => server.call('DELETE', `/runs/${runId}/feedback`, undefined, ANN);
    expect([(await remove()).status, (await remove()).status]).toEqual([204, 204]);
    for (const shown of await read()) expect(shown).not.toHaveProperty('feedback');
  });

  it('is refused where it is none, and from everybody but the owner, as if there were no run', async () => {
    const server = await serve(options);
    const { runId } = await ask(server);
    for (const wrong of [{}, { rating: 'great' }, { rating: 1 }, { rating: 'up', score: 1 }, 'up', null])
      expect([wrong, (await rate(server, runId, wrong as object)).status]).toEqual([wrong, 400]);
    const comment = 'x'.repeat(2_000);
    expect((await rate(server, runId, { rating: 'up', comment: `${comment}x` })).status).toBe(400);
    expect((await rate(server, runId, { rating: 'up', comment })).status).toBe(200);

    const strip = ({ status, body }: { status: number; body: unknown }, id: string) => ({
      status,
      body: JSON.stringify(body).replaceAll(id, '<id>'),
    });
    for (const method of ['PUT', 'DELETE']) {
      const send = (id: string) =>
        server.call(method, `/runs/${id}/feedback`, method === 'PUT' ? { rating: 'up' } : undefined, EVE);
      const foreign = strip(await send(runId), runId);
      expect(foreign.status).toBe(404);
      expect(foreign).toEqual(strip(await send('run-of-nobody'), 'run-of-nobody'));
    }
    const { body } = await server.call('GET', `/runs/${runId}`, undefined, ANN);
    expect(body['feedback']).toMatchObject({ rating: 'up', comment });
  });

  it('is exported to operators as lines, page by page, without what was asked and answered', async () => {
    const server = await serve(options);
    const runs: string[] = [];
    for (let index = 0; index < 3; index += 1) runs.push((await ask(server)).runId);
    const foreign = await ask(server, EVE);
    await rate(server, runs[0]!, { rating: 'up' });
    await rate(server, runs[1]!, { rating: 'down', comment: 'Line\nbreak' });
    await rate(server, foreign.runId, { rating: 'up' }, EVE);

    const { text, lines } = await readExport(server);
    expect(lines).toMatchObject([
      { runId: runs[0], agent: 'scripted', tenant: 'acme', userId: 'ann', rating: 'up', status: 'completed' },
      { runId: runs[1], rating: 'down', comment: 'Line\nbreak' },
      { runId: foreign.runId, threadId: foreign.threadId, tenant: 'globex', userId: 'eve' },
    ]);
    expect(text).not.toMatch(/secret|Forty/);

    const ids = async (query: string, headers = OPS) =>
      (await readExport(server, query, headers)).lines.map(({ runId }) => runId);
    expect(await ids('?rating=down')).toEqual([runs[1]]);
    expect(await ids('?agent=scripted&tenant=globex')).toEqual([foreign.runId]);
    expect(await ids('?agent=other')).toEqual([]);
    const at = Number(lines[1]!['at']);
    expect(await ids(`?since=${at}&tenant=acme`)).toContain(runs[1]);
    expect(await ids(`?before=${Number(lines[0]!['at'])}`)).toEqual([]);

    // A page on which nothing fits still says that there is more.
    const first = await readExport(server, '?limit=1&rating=down');
    expect(first.lines).toEqual([{ nextCursor: expect.any(String) }]);
    const next = await readExport(
      server,
      `?limit=1&rating=down&cursor=${String(first.lines[0]!['nextCursor'])}`,
    );
    expect(next.lines).toEqual([
      expect.objectContaining({ runId: runs[1] }),
      { nextCursor: expect.any(String) },
    ]);

    expect(await ids('', LEAD)).toEqual(runs.slice(0, 2));
    expect(await ids('?tenant=globex', LEAD)).toEqual([]);
    expect((await readExport(server, '', ANN)).status).toBe(403);
    expect((await readExport(server, '?limit=1001')).status).toBe(400);
  });

  it('is gone with its thread', async () => {
    const server = await serve(options);
    const { runId, threadId } = await ask(server);
    await rate(server, runId, { rating: 'down', comment: 'No.' });
    await server.call('DELETE', `/threads/${threadId}`, undefined, ANN);
    expect((await rate(server, runId, { rating: 'up' })).status).toBe(404);
    expect((await readExport(server)).lines).toEqual([]);
  });

  it('reaches the hook of the host, whose errors disturb no one', async () => {
    const onFeedback = jest.fn<NonNullable<RunHooks['onFeedback']>>(() => {
      throw new Error('The collector is down.');
    });
    const server = await serve({ ...options, hooks: { onFeedback } });
    const { runId } = await ask(server);
    expect((await rate(server, runId, { rating: 'up' })).status).toBe(200);
    await server.call('DELETE', `/runs/${runId}/feedback`, undefined, ANN);
    await until(() => onFeedback.mock.calls.length === 2);
    const [[given], [withdrawn]] = onFeedback.mock.calls as [[object], [object]];
    expect(given).toMatchObject({ id: runId, feedback: { rating: 'up' } });
    expect(withdrawn).not.toHaveProperty('feedback');
  });
});
