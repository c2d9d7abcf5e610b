import { OPERATOR_ROWS } from './tenancy.operator-rows.js';
import { START_ROWS } from './tenancy.start-rows.js';

/** Something that belongs to the owner, by all the names under which a route may be asked for it. */
export interface Thing {
  readonly threadId: string;
  readonly runId: string;
  readonly inputId: string;
  readonly fileId: string;
  readonly assistantId: string;
}

export interface Request {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * - `names`: asks for something that is there. To others it is as if it were not.
 * - `begins`: makes a thread of the id that it names, or goes on with the caller's own. Others make their own.
 * - `lists`: tells of what is the caller's, and names nothing.
 * - `open`: tells everybody the same, credentials or not.
 */
export type Kind = 'names' | 'begins' | 'lists' | 'open';

export interface Row {
  readonly kind: Kind;
  /** The operation, if a route has several. */
  readonly what?: string;
  readonly request: (thing: Thing) => Request;
  /** Status that others get, of a route whose protocol has another than 404 for what is not there. */
  readonly refusal?: number;
  /** True if it answers with a stream that has no end of its own. */
  readonly endless?: boolean;
  /** True if it answers only when the run has ended. */
  readonly waits?: true;
  /** Statuses that the owner may get beside 2xx, because the thing is not in a state for it. */
  readonly otherwise?: readonly number[];
}

const user = (content: string) => ({ id: 'm-1', role: 'user', content });
const uiMessage = { id: 'm-1', role: 'user', parts: [{ type: 'text', text: 'hello' }] };
const nothing = (): Request => ({});
const run = ({ runId }: Thing): Request => ({ params: { runId } });
const thread = ({ threadId }: Thing): Request => ({ params: { threadId } });
const assistant = ({ assistantId }: Thing): Request => ({ params: { assistantId } });
const cron = (): Request => ({ params: { cronId: 'c-1' } });
const threadAndRun = ({ threadId, runId }: Thing): Request => ({ params: { threadId, runId } });
const chat = ({ threadId }: Thing): Request => ({ params: { chatId: threadId } });
const response = ({ runId }: Thing): Request => ({ params: { responseId: `resp_${runId}` } });
const input = { messages: [{ type: 'human', content: 'hello' }] };
const langGraphRun = { assistant_id: 'chat', if_not_exists: 'create', input };
const agUi = ({ threadId }: Thing) => ({ threadId, runId: `ag-${threadId}`, messages: [user('hello')] });
const rpc = (method: string, params: unknown) => ({ body: { jsonrpc: '2.0', id: 1, method, params } });
const a2aMessage = (ids: { readonly taskId: string } | { readonly contextId: string }) => ({
  message: {
    messageId: `m-${Object.values(ids).join('')}`,
    role: 'ROLE_USER',
    parts: [{ text: 'hello' }],
    ...ids,
  },
});

/** A row or more for each route of the module. A route that has none fails the test that compares both. */
export const ROWS: Readonly<Record<string, readonly Row[]>> = {
  ...START_ROWS,
  'GET /api/chat/runs/:runId/events': [
    { kind: 'names', request: run },
    {
      kind: 'names',
      what: 'from an event on',
      request: (thing) => ({ ...run(thing), headers: { 'last-event-id': `${thing.runId}.1.1` } }),
    },
  ],
  'HEAD /api/chat/runs/:runId/events': [{ kind: 'names', request: run }],
  'GET /api/chat/runs': [
    { kind: 'lists', request: nothing },
    {
      kind: 'lists',
      what: 'of an agent',
      request: () => ({ query: 'agent=chat&status=completed&first=oldest' }),
    },
  ],
  'GET /api/chat/runs/:runId': [{ kind: 'names', request: run }],
  'GET /api/chat/runs/:runId/log': [
    { kind: 'names', request: run },
    { kind: 'names', what: 'from an event on', request: (thing) => ({ ...run(thing), query: 'after=2' }) },
  ],
  'POST /api/chat/runs/:runId/cancel': [{ kind: 'names', request: run, otherwise: [409] }],
  'POST /api/chat/runs/:runId/messages': [
    { kind: 'names', request: (thing) => ({ ...run(thing), body: { message: 'And?' } }), otherwise: [409] },
  ],
  'DELETE /api/chat/runs/:runId/messages/:messageId': [
    { kind: 'names', request: ({ runId }) => ({ params: { runId, messageId: 'm-1' } }), otherwise: [404] },
  ],
  'POST /api/chat/runs/:runId/inputs/:inputId': [
    {
      kind: 'names',
      request: ({ runId, inputId }) => ({ params: { runId, inputId }, body: { decision: 'deny' } }),
      otherwise: [404, 409],
    },
  ],
  'PUT /api/chat/runs/:runId/feedback': [
    { kind: 'names', request: (thing) => ({ ...run(thing), body: { rating: 'up' } }) },
  ],
  'DELETE /api/chat/runs/:runId/feedback': [{ kind: 'names', request: run }],
  'POST /api/chat/runs/:runId/ticket': [{ kind: 'names', request: run }],
  'GET /api/chat/threads': [{ kind: 'lists', request: nothing }],
  'GET /api/chat/threads/:threadId': [
    { kind: 'names', request: thread },
    {
      kind: 'names',
      what: 'the branch of a run',
      request: (thing) => ({ ...thread(thing), query: `runId=${thing.runId}` }),
    },
  ],
  'PATCH /api/chat/threads/:threadId': [
    { kind: 'names', request: (thing) => ({ ...thread(thing), body: { pinned: true } }) },
  ],
  'GET /api/chat/inbox': [{ kind: 'lists', request: nothing }],
  'DELETE /api/chat/threads/:threadId': [{ kind: 'names', request: thread, otherwise: [409] }],
  'DELETE /api/chat/runs/:runId': [{ kind: 'names', request: run, otherwise: [409] }],
  'GET /api/chat/threads/:threadId/usage': [{ kind: 'names', request: thread }],
  'GET /api/chat/usage': [{ kind: 'lists', request: nothing }],
  'GET /api/chat/agents': [{ kind: 'lists', request: nothing }],
  ...OPERATOR_ROWS,
  'GET /api/auth/session': [{ kind: 'open', request: nothing }],
  'POST /api/auth/session': [
    { kind: 'open', request: () => ({ body: { token: 'a-token-that-nobody-has' } }), otherwise: [401] },
  ],
  'GET /api/auth/session/oidc': [{ kind: 'open', request: nothing, otherwise: [404] }],
  'GET /api/auth/session/oidc/callback': [{ kind: 'open', request: nothing, otherwise: [404] }],
  'DELETE /api/auth/session': [{ kind: 'open', request: nothing }],
  'DELETE /api/auth/session/all': [{ kind: 'lists', request: nothing }],
  'POST /api/auth/session/end': [
    { kind: 'lists', request: () => ({ body: { tenant: 'acme', userId: 'ann' } }), otherwise: [403] },
  ],
  'POST /protocols/a2a': [
    { kind: 'names', what: 'GetTask', request: ({ runId }) => rpc('GetTask', { id: runId }) },
    { kind: 'names', what: 'tasks/get', request: ({ runId }) => rpc('tasks/get', { id: runId }) },
    { kind: 'names', what: 'CancelTask', request: ({ runId }) => rpc('CancelTask', { id: runId }) },
    { kind: 'names', what: 'SubscribeToTask', request: ({ runId }) => rpc('SubscribeToTask', { id: runId }) },
    {
      kind: 'names',
      what: 'SendMessage to a task',
      request: ({ runId }) => rpc('SendMessage', a2aMessage({ taskId: runId })),
    },
    {
      kind: 'begins',
      what: 'SendMessage in a context',
      request: ({ threadId }) => rpc('SendMessage', a2aMessage({ contextId: threadId })),
    },
    {
      kind: 'names',
      what: 'ListTasks of a context',
      request: ({ threadId }) => rpc('ListTasks', { contextId: threadId }),
    },
    { kind: 'lists', what: 'ListTasks', request: () => rpc('ListTasks', {}) },
  ],
  'GET /protocols/a2a/.well-known/agent-card.json': [{ kind: 'open', request: nothing }],
  'GET /.well-known/agent-card.json': [{ kind: 'open', request: nothing }],
  'POST /protocols/ag-ui': [
    { kind: 'begins', request: (thing) => ({ body: agUi(thing) }), otherwise: [409] },
  ],
  'POST /protocols/ag-ui/connect': [{ kind: 'names', request: (thing) => ({ body: agUi(thing) }) }],
  'POST /protocols/ag-ui/stop/:threadId': [{ kind: 'names', request: thread, otherwise: [404, 409] }],
  'GET /protocols/ag-ui/copilotkit/info': [{ kind: 'lists', request: nothing }],
  'POST /protocols/ag-ui/copilotkit': [{ kind: 'lists', request: nothing, otherwise: [400] }],
  'POST /protocols/ag-ui/copilotkit/agent/:agentId/run': [
    {
      kind: 'begins',
      request: (thing) => ({ params: { agentId: 'chat' }, body: agUi(thing) }),
      otherwise: [409],
    },
  ],
  'POST /protocols/ag-ui/copilotkit/agent/:agentId/connect': [
    { kind: 'names', request: (thing) => ({ params: { agentId: 'chat' }, body: agUi(thing) }) },
  ],
  'POST /protocols/ag-ui/copilotkit/agent/:agentId/stop/:threadId': [
    {
      kind: 'names',
      request: ({ threadId }) => ({ params: { agentId: 'chat', threadId } }),
      otherwise: [404, 409],
    },
  ],
  'POST /protocols/ai-sdk/chat': [
    {
      kind: 'begins',
      request: ({ threadId }) => ({ body: { id: threadId, messages: [uiMessage] } }),
      otherwise: [409],
    },
    {
      kind: 'names',
      what: 'decisions on approvals',
      request: ({ threadId, inputId }) => ({
        body: {
          id: threadId,
          message: {
            id: 'm-2',
            role: 'assistant',
            parts: [
              {
                type: 'tool-pay',
                state: 'approval-responded',
                approval: { id: inputId, approved: false },
              },
            ],
          },
        },
      }),
      otherwise: [404, 409],
    },
  ],
  'GET /protocols/ai-sdk/chat/:chatId/stream': [{ kind: 'names', request: chat }],
  'POST /protocols/ai-sdk/chat/:chatId/stop': [{ kind: 'names', request: chat, otherwise: [404, 409] }],
  'GET /protocols/ai-sdk/chat/:chatId/messages': [{ kind: 'names', request: chat }],
  'POST /protocols/langgraph/threads/:threadId/runs/stream': [
    {
      kind: 'begins',
      request: (thing) => ({ ...thread(thing), body: langGraphRun }),
      otherwise: [404, 409, 422],
    },
  ],
  'POST /protocols/langgraph/runs/stream': [{ kind: 'lists', request: () => ({ body: langGraphRun }) }],
  'GET /protocols/langgraph/threads/:threadId/runs/:runId/stream': [
    { kind: 'names', request: threadAndRun, refusal: 200 },
  ],
  'GET /protocols/langgraph/runs/:runId/stream': [{ kind: 'names', request: run, refusal: 200 }],
  'POST /protocols/langgraph/threads/:threadId/runs': [
    {
      kind: 'begins',
      request: (thing) => ({ ...thread(thing), body: langGraphRun }),
      otherwise: [404, 409, 422],
    },
  ],
  'POST /protocols/langgraph/runs': [
    { kind: 'lists', request: () => ({ body: langGraphRun }) },
    {
      kind: 'names',
      what: 'with an assistant',
      request: ({ assistantId }) => ({ body: { ...langGraphRun, assistant_id: assistantId } }),
    },
  ],
  'POST /protocols/langgraph/threads/:threadId/runs/wait': [
    {
      kind: 'begins',
      request: (thing) => ({ ...thread(thing), body: langGraphRun }),
      otherwise: [404, 409, 422],
    },
  ],
  'POST /protocols/langgraph/runs/wait': [{ kind: 'lists', request: () => ({ body: langGraphRun }) }],
  'GET /protocols/langgraph/threads/:threadId/runs/:runId/join': [
    { kind: 'names', request: threadAndRun, waits: true },
  ],
  'GET /protocols/langgraph/threads/:threadId/runs': [{ kind: 'names', request: thread }],
  'GET /protocols/langgraph/threads/:threadId/runs/:runId': [{ kind: 'names', request: threadAndRun }],
  'POST /protocols/langgraph/threads/:threadId/runs/:runId/cancel': [
    { kind: 'names', request: threadAndRun, otherwise: [409] },
  ],
  'DELETE /protocols/langgraph/threads/:threadId/runs/:runId': [
    { kind: 'names', request: threadAndRun, otherwise: [409] },
  ],
  'POST /protocols/langgraph/threads/:threadId/runs/crons': [
    { kind: 'names', request: thread, otherwise: [400] },
  ],
  'POST /protocols/langgraph/runs/cancel': [{ kind: 'lists', request: nothing, otherwise: [400] }],
  'POST /protocols/langgraph/threads/prune': [{ kind: 'lists', request: nothing, otherwise: [400] }],
  'GET /protocols/langgraph/assistants/:assistantId/subgraphs': [{ kind: 'names', request: assistant }],
  'GET /protocols/langgraph/assistants/:assistantId/subgraphs/:namespace': [
    { kind: 'names', request: ({ assistantId }) => ({ params: { assistantId, namespace: 'a' } }) },
  ],
  'POST /protocols/langgraph/runs/crons': [{ kind: 'lists', request: nothing, otherwise: [400] }],
  'POST /protocols/langgraph/runs/crons/search': [{ kind: 'lists', request: nothing, otherwise: [400] }],
  'POST /protocols/langgraph/runs/crons/count': [{ kind: 'lists', request: nothing, otherwise: [400] }],
  'PATCH /protocols/langgraph/runs/crons/:cronId': [{ kind: 'lists', request: cron, otherwise: [400] }],
  'DELETE /protocols/langgraph/runs/crons/:cronId': [{ kind: 'lists', request: cron, otherwise: [400] }],
  'POST /protocols/langgraph/assistants/search': [{ kind: 'lists', request: () => ({ body: {} }) }],
  'POST /protocols/langgraph/assistants/count': [{ kind: 'lists', request: () => ({ body: {} }) }],
  'POST /protocols/langgraph/assistants': [
    {
      kind: 'begins',
      request: ({ assistantId }) => ({
        body: { assistant_id: assistantId, graph_id: 'chat', if_exists: 'do_nothing' },
      }),
    },
  ],
  'PATCH /protocols/langgraph/assistants/:assistantId': [
    { kind: 'names', request: (thing) => ({ ...assistant(thing), body: { name: 'Mine' } }) },
  ],
  'DELETE /protocols/langgraph/assistants/:assistantId': [{ kind: 'names', request: assistant }],
  'POST /protocols/langgraph/assistants/:assistantId/versions': [
    { kind: 'names', request: (thing) => ({ ...assistant(thing), body: {} }) },
  ],
  'POST /protocols/langgraph/assistants/:assistantId/latest': [
    { kind: 'names', request: (thing) => ({ ...assistant(thing), body: { version: 1 } }) },
  ],
  'GET /protocols/langgraph/assistants/:assistantId/graph': [
    { kind: 'lists', request: () => ({ params: { assistantId: 'chat' } }) },
    { kind: 'names', what: 'of a caller', request: assistant },
  ],
  'GET /protocols/langgraph/assistants/:assistantId/schemas': [
    { kind: 'lists', request: () => ({ params: { assistantId: 'chat' } }) },
    { kind: 'names', what: 'of a caller', request: assistant },
  ],
  'PUT /protocols/langgraph/store/items': [
    { kind: 'lists', request: () => ({ body: { namespace: ['notes'], key: 'k', value: {} } }) },
  ],
  'GET /protocols/langgraph/store/items': [
    { kind: 'lists', request: () => ({ query: 'namespace=notes&key=k' }) },
  ],
  'DELETE /protocols/langgraph/store/items': [
    { kind: 'lists', request: () => ({ body: { namespace: ['notes'], key: 'k' } }) },
  ],
  'POST /protocols/langgraph/store/items/search': [{ kind: 'lists', request: () => ({ body: {} }) }],
  'POST /protocols/langgraph/store/namespaces': [{ kind: 'lists', request: () => ({ body: {} }) }],
  'GET /protocols/langgraph/ok': [{ kind: 'open', request: nothing }],
  'GET /protocols/langgraph/info': [{ kind: 'open', request: nothing }],
  'POST /protocols/langgraph/threads/search': [{ kind: 'lists', request: () => ({ body: {} }) }],
  'POST /protocols/langgraph/threads/count': [{ kind: 'lists', request: () => ({ body: {} }) }],
  'DELETE /protocols/langgraph/threads/:threadId': [{ kind: 'names', request: thread }],
  'GET /protocols/langgraph/assistants/:assistantId': [
    { kind: 'lists', request: () => ({ params: { assistantId: 'chat' } }) },
    { kind: 'names', what: 'of a caller', request: assistant },
  ],
  'POST /protocols/langgraph/threads': [
    {
      kind: 'begins',
      request: ({ threadId }) => ({ body: { thread_id: threadId, if_exists: 'do_nothing' } }),
      otherwise: [409],
    },
  ],
  'GET /protocols/langgraph/threads/:threadId': [{ kind: 'names', request: thread }],
  'PATCH /protocols/langgraph/threads/:threadId': [
    { kind: 'names', request: (thing) => ({ ...thread(thing), body: { metadata: { a: 1 } } }) },
  ],
  'GET /protocols/langgraph/threads/:threadId/state': [{ kind: 'names', request: thread }],
  'POST /protocols/langgraph/threads/:threadId/state/checkpoint': [
    { kind: 'names', request: (thing) => ({ ...thread(thing), body: {} }) },
  ],
  'GET /protocols/langgraph/threads/:threadId/state/:checkpointId': [
    {
      kind: 'names',
      request: ({ threadId, runId }) => ({ params: { threadId, checkpointId: runId } }),
      otherwise: [404],
    },
  ],
  'POST /protocols/langgraph/threads/:threadId/history': [
    { kind: 'names', request: (thing) => ({ ...thread(thing), body: {} }) },
  ],
  'POST /protocols/langgraph/threads/:threadId/commands': [
    {
      kind: 'begins',
      what: 'run.start',
      request: (thing) => ({ ...thread(thing), body: { id: 1, method: 'run.start', params: langGraphRun } }),
      otherwise: [404],
    },
    {
      kind: 'names',
      what: 'input.respond',
      request: (thing) => ({
        ...thread(thing),
        body: {
          id: 1,
          method: 'input.respond',
          params: { interrupt_id: thing.inputId, response: { decisions: [{ type: 'reject' }] } },
        },
      }),
    },
  ],
  'POST /protocols/langgraph/threads/:threadId/stream/events': [
    {
      kind: 'names',
      endless: true,
      request: (thing) => ({ ...thread(thing), body: { channels: ['values'] } }),
    },
  ],
  'POST /protocols/openai/v1/chat/completions': [
    {
      kind: 'lists',
      request: () => ({ body: { model: 'chat', messages: [user('hello')] } }),
    },
  ],
  'GET /protocols/openai/v1/models': [{ kind: 'lists', request: nothing }],
  'POST /protocols/openai/v1/responses': [
    {
      kind: 'lists',
      what: 'a new conversation',
      request: () => ({ body: { model: 'chat', input: 'hello' } }),
    },
    {
      kind: 'names',
      what: 'after another response',
      request: ({ runId }) => ({
        body: { model: 'chat', input: 'hello', previous_response_id: `resp_${runId}` },
      }),
      otherwise: [409],
    },
  ],
  'GET /protocols/openai/v1/responses/:responseId': [
    { kind: 'names', request: response },
    {
      kind: 'names',
      what: 'as a stream',
      request: (thing) => ({ ...response(thing), query: 'stream=true' }),
    },
  ],
  'POST /protocols/openai/v1/responses/:responseId/cancel': [
    { kind: 'names', request: response, otherwise: [400, 409] },
  ],
};
