// The packages that the suites make their server from, as far as they use them. Nothing listens: what matters is which graphs it would serve.

export function createEmbedServer({ graph }) {
  globalThis[Symbol.for('langgraph-suites.serve')](graph);
  return {};
}

export class Hono {
  use() {}
  route() {}
}

export const cors = () => undefined;

export function serve(_options, listening) {
  listening({ port: 0 });
  return {};
}

export const createNodeWebSocket = () => ({
  injectWebSocket: () => undefined,
  upgradeWebSocket: () => undefined,
  wss: { clients: [] },
});
