import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import type { AuthOptions } from '../../src/auth/auth.options.js';
import type { ChatServer } from '../support/chat.server.js';
import { payingServers, listRuns } from './approvals.server.js';
import { postJson } from '../support/post-json.js';

/** The bearer token names the user. */
const BEARER_IS_USER: AuthOptions = {
  kind: 'host',
  getPrincipal: ({ headers }) => {
    const userId = headers.authorization?.replace('Bearer ', '');
    return userId === undefined ? undefined : { userId, tenant: 'here', roles: [] };
  },
};

interface Waiting {
  readonly threadId: string;
  readonly runId: string;
  readonly inputId: string;
}

/** Each protocol's path and body for a yes. */
const ANSWERS: [string, string, (waiting: Waiting) => object][] = [
  [
    'the AI SDK',
    'ai-sdk/chat',
    ({ threadId: id, inputId }) => ({
      id,
      message: {
        role: 'assistant',
        parts: [
          { type: 'dynamic-tool', state: 'approval-responded', approval: { id: inputId, approved: true } },
        ],
      },
    }),
  ],
  [
    'AG-UI',
    'ag-ui',
    ({ threadId, inputId: interruptId }) => ({
      threadId,
      runId: 'run-b',
      messages: [],
      resume: [{ interruptId, status: 'resolved', payload: { approved: true } }],
    }),
  ],
  [
    'OpenAI Responses',
    'openai/v1/responses',
    ({ runId, inputId: approval_request_id }) => ({
      model: 'chat',
      stream: true,
      previous_response_id: `resp_${runId}`,
      input: [{ type: 'mcp_approval_response', approval_request_id, approve: true }],
    }),
  ],
  [
    "LangGraph's runs/stream",
    'langgraph/threads/:threadId/runs/stream',
    ({ inputId }) => ({
      assistant_id: 'chat',
      command: { resume: { [inputId]: { decisions: [{ type: 'approve' }] } } },
    }),
  ],
  [
    "LangGraph's event protocol",
    'langgraph/threads/:threadId/commands',
    ({ inputId: interrupt_id }) => ({
      id: 1,
      method: 'input.respond',
      params: { interrupt_id, response: { decisions: [{ type: 'approve' }] } },
    }),
  ],
  [
    'A2A',
    'a2a',
    ({ runId: taskId, inputId }) => ({
      jsonrpc: '2.0',
      id: 1,
      method: 'SendMessage',
      params: {
        message: { messageId: 'm', taskId, parts: [{ data: { inputId, decision: 'approve' } }] },
      },
    }),
  ],
];

describe.each(ANSWERS)('approval by %s', (_protocol, path, toBody) => {
  const serve = payingServers();
  const ann = { authorization: 'Bearer ann' };

  async function waiting(server: ChatServer): Promise<Waiting> {
    const stream = await server.ask({ message: 'Pay 50.' }, ann);
    await stream.closed();
    const { data } = await stream.frame('input-request');
    const { data: ready } = await stream.frame('ready');
    return {
      runId: String(ready['runId']),
      threadId: String(ready['threadId']),
      inputId: String(data['inputId']),
    };
  }

  async function answer(server: ChatServer, asked: Waiting, headers: Record<string, string>) {
    const url = `${new URL(server.url).origin}/protocols/${path.replace(':threadId', asked.threadId)}`;
    const response = await postJson(url, toBody(asked), headers);
    return { status: response.status, text: await response.text() };
  }

  const runs = (server: ChatServer, { threadId }: Waiting) => listRuns(server, threadId, ann);

  it("accepts a decision from the run's owner only", async () => {
    const server = await serve({ auth: BEARER_IS_USER });
    const asked = await waiting(server);
    expect((await answer(server, asked, {})).status).toBe(401);
    const stranger = await answer(server, asked, { authorization: 'Bearer bob' });
    expect(stranger.text).toMatch(/[Tt]here is no|not found|NOT_FOUND/);
    expect(await runs(server, asked)).toHaveLength(1);

    expect((await answer(server, asked, ann)).status).toBe(200);
    expect(await runs(server, asked)).toHaveLength(2);
  });
});

describe('routes that take decisions', () => {
  const serve = payingServers();

  it('describes the 409 to a late decision in the OpenAPI document', async () => {
    const server = await serve();
    const document = documentSchema.parse(await (await fetch(new URL('/openapi.json', server.url))).json());
    const closing = Object.entries(document.paths)
      .filter(([path, { post }]) => path.startsWith('/protocols/') && post?.responses['409'])
      .map(([path]) => path);
    expect(closing).toEqual(
      expect.arrayContaining([
        '/protocols/ag-ui',
        '/protocols/ag-ui/copilotkit/agent/{agentId}/run',
        '/protocols/ai-sdk/chat',
        '/protocols/langgraph/threads/{threadId}/runs/stream',
        '/protocols/openai/v1/responses',
      ]),
    );
  });
});

const documentSchema = z.object({
  paths: z.record(
    z.string(),
    z.object({ post: z.object({ responses: z.record(z.string(), z.unknown()) }).optional() }),
  ),
});
