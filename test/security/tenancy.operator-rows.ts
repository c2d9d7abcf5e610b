import type { Request, Row, Thing } from './tenancy.rows.js';

const nothing = (): Request => ({});
const run = ({ runId }: Thing): Request => ({ params: { runId } });

/** The routes for operators. None of the callers is one. */
export const OPERATOR_ROWS: Readonly<Record<string, readonly Row[]>> = {
  'GET /api/chat/operator/switches': [{ kind: 'lists', request: nothing, otherwise: [403] }],
  'POST /api/chat/operator/switches/off': [
    { kind: 'lists', request: () => ({ body: { kind: 'agent', name: 'chat' } }), otherwise: [403] },
  ],
  'POST /api/chat/operator/switches/on': [
    { kind: 'lists', request: () => ({ body: { kind: 'agent', name: 'chat' } }), otherwise: [403] },
  ],
  'GET /api/chat/operator/mcp-tools': [{ kind: 'lists', request: nothing, otherwise: [403] }],
  'POST /api/chat/operator/mcp-tools/accept': [
    { kind: 'lists', request: () => ({ body: { server: 'some', tool: 'some' } }), otherwise: [403] },
  ],
  'GET /api/chat/operator/runs': [{ kind: 'lists', request: nothing, otherwise: [403] }],
  'GET /api/chat/operator/runs/:runId/log': [{ kind: 'lists', request: run, otherwise: [403] }],
  'POST /api/chat/operator/runs/:runId/cancel': [{ kind: 'lists', request: run, otherwise: [403] }],
  'POST /api/chat/operator/runs/:runId/requeue': [{ kind: 'lists', request: run, otherwise: [403] }],
  'GET /api/chat/operator/feedback': [{ kind: 'lists', request: nothing, otherwise: [403] }],
  'GET /api/chat/operator/usage': [{ kind: 'lists', request: nothing, otherwise: [403] }],
  'GET /api/chat/operator/queue': [{ kind: 'lists', request: nothing, otherwise: [403] }],
  'POST /api/chat/operator/drain': [{ kind: 'lists', request: nothing, otherwise: [403] }],
};
