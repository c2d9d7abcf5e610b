// The session belongs to the whole server, one level above the chat: /api/chat, /api/auth/session.
export const SESSION_PATH = '/../auth/session';

export function runPath(runId: string): string {
  return `/runs/${encodeURIComponent(runId)}`;
}

export function threadPath(threadId: string): string {
  return `/threads/${encodeURIComponent(threadId)}`;
}
