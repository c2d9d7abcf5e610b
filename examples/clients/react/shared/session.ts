const address = new URL(location.href);

/** Where the server is: `?server=…`, or where its `npm start` puts it. */
export const server = address.searchParams.get('server') ?? 'http://127.0.0.1:3000';

/** Who answers: `?agent=…`, or the agent of the standalone app. */
export const agent = address.searchParams.get('agent') ?? 'assistant';

/** The conversation. In the address, so that a reload comes back to it. */
export const threadId = address.searchParams.get('thread') ?? newThread();

/** For a server that asks who calls. An application has the token from its own sign-in. */
const token = sessionStorage.getItem('token');
export const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};

function newThread(): string {
  const id = crypto.randomUUID();
  address.searchParams.set('thread', id);
  history.replaceState(null, '', address);
  return id;
}
