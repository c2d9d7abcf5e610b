import type { Row } from './tenancy.rows.js';

const langGraphRun = { assistant_id: 'chat', input: { messages: [{ type: 'human', content: 'hello' }] } };

/** The rows of starts, of copies, and of the files that they name. */
export const START_ROWS: Readonly<Record<string, readonly Row[]>> = {
  'POST /api/chat/threads/:threadId/copy': [
    { kind: 'names', request: ({ threadId }) => ({ params: { threadId } }) },
  ],
  'POST /protocols/langgraph/threads/:threadId/copy': [
    { kind: 'names', request: ({ threadId }) => ({ params: { threadId } }), refusal: 409 },
  ],
  'POST /api/chat': [
    {
      kind: 'names',
      request: ({ threadId }) => ({ body: { message: 'hello', threadId } }),
      otherwise: [409],
    },
  ],
  'POST /api/chat/runs': [
    {
      kind: 'names',
      request: ({ threadId }) => ({ body: { message: 'hello', threadId } }),
      otherwise: [409],
    },
    {
      kind: 'names',
      what: 'after a run',
      request: ({ runId }) => ({ body: { message: 'hello', parentRunId: runId } }),
      otherwise: [409],
    },
    {
      kind: 'names',
      what: 'in the place of a run',
      request: ({ runId }) => ({ body: { replaces: runId } }),
      otherwise: [409],
    },
    {
      kind: 'names',
      what: 'with a file of the thread',
      request: ({ threadId, fileId }) => ({ body: { message: [{ type: 'file', fileId }], threadId } }),
      otherwise: [409],
    },
  ],
  'POST /api/chat/files': [
    {
      kind: 'lists',
      request: () => ({ query: 'name=a.json&type=application/json', body: { some: 'text' } }),
    },
  ],
  'GET /api/chat/files/:fileId': [{ kind: 'names', request: ({ fileId }) => ({ params: { fileId } }) }],
  'POST /api/chat/files/:fileId/ticket': [
    { kind: 'names', request: ({ fileId }) => ({ params: { fileId } }) },
  ],
  'DELETE /api/chat/files/:fileId': [{ kind: 'names', request: ({ fileId }) => ({ params: { fileId } }) }],
  'POST /protocols/langgraph/runs/batch': [
    { kind: 'lists', request: () => ({ body: [langGraphRun] }) },
    {
      kind: 'names',
      what: 'with an assistant',
      request: ({ assistantId }) => ({ body: [{ ...langGraphRun, assistant_id: assistantId }] }),
    },
  ],
  'POST /protocols/langgraph/threads/:threadId/state': [
    {
      kind: 'names',
      request: ({ threadId }) => ({ params: { threadId }, body: { values: {} } }),
      waits: true,
      otherwise: [400],
    },
  ],
};
