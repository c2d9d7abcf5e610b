// PostgreSQL with pgvector in a process of its own, for one connection at a time. Says its port, and ends with its parent.
import { PGlite } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';

const db = await PGlite.create({ extensions: { vector } });
const server = new PGLiteSocketServer({ db, host: '127.0.0.1', port: 0 });
server.addEventListener('listening', ({ detail }) => process.send?.({ port: detail.port }));
process.once('disconnect', () => process.exit());
await server.start();
