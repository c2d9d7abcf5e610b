import { createVictim } from './victim.js';
import type { VictimOptions } from './victim.options.js';

// The server as a process of its own. It says its port to its parent, and waits to be killed.
const app = await createVictim(JSON.parse(process.argv[2] ?? '{}') as VictimOptions);
app.enableShutdownHooks(['SIGTERM']);
const server = await app.listen(0, '127.0.0.1');
process.send?.({ port: server.address().port });
// Without its parent nobody would ever end it.
process.on('disconnect', () => process.exit(1));
