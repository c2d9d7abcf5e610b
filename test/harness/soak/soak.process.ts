import { footprint } from '../footprint.js';
import { createSoakServer } from './soak.server.js';

// The server as a process of its own, started with `--expose-gc`: what it holds is its own and nobody's who asks it. It says
// its port to its parent, and takes stock at each message.
const app = await createSoakServer(process.argv[2] ?? '');
const server = await app.listen(0, '127.0.0.1');
process.on('message', () => {
  // What clients keep for later is not the server's.
  server.closeIdleConnections();
  process.send?.(footprint());
});
process.on('disconnect', () => process.exit());
process.send?.({ port: server.address().port });
