import { chatServers, type ChatServer, type ChatServerOptions, type Play } from '../support/chat.server.js';

/** Starts servers that speak all protocols, with an agent that does what the test says. Closed after each test. */
export function protocolServers(): (play: Play, options?: ChatServerOptions) => Promise<ChatServer> {
  const start = chatServers();
  return (play, options = {}) => start({ play, protocols: {}, ...options });
}
