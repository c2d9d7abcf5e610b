import { createNode } from './node.js';
import type { NodeOptions } from './node.options.js';

// One process of a cluster. It says its port to its parent, and waits to be killed.
const app = await createNode(JSON.parse(process.argv[2] ?? '{}') as NodeOptions);
app.enableShutdownHooks(['SIGTERM']);
const server = await app.listen(0, '127.0.0.1');
process.send?.({ port: server.address().port });
// Without its parent nobody would ever end it.
process.on('disconnect', () => process.exit(1));
