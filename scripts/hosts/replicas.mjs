import { join } from 'node:path';
import { PostgresServer } from '../../test/harness/cluster/postgres.server.ts';
import { REPLICA_MODULE } from './files.mjs';
import { compile, writeHost } from './matrix.mjs';
import { ANSWER, framesIn, joinText } from './workshop.mjs';

const HEADERS = { 'content-type': 'application/json', 'x-user': 'ann' };
const PATIENCE_MS = 60_000;

/** Two replicas of a host on one PostgreSQL, as the guide sets them up: nothing but the storage's address. */
export async function tryReplicas(workshop, { all, majors }) {
  for (const nest of all ? majors : majors.slice(-1)) {
    await workshop.try(`two replicas on PostgreSQL, Nest ${nest}`, async () => {
      const folder = join(await workshop.install(nest), 'replicas');
      const host = { nest, framework: 'express', module: 'esm', node: 24 };
      await writeHost(folder, host, REPLICA_MODULE);
      await compile(workshop, folder, nest);
      const database = await PostgresServer.start();
      const replicas = [];
      try {
        for (let count = 0; count < 2; count += 1)
          replicas.push(
            await workshop.serve(process.execPath, ['dist/main.js'], {
              cwd: folder,
              env: { DATABASE_URL: database.url },
            }),
          );
        return await outliveKill(replicas);
      } finally {
        for (const { server } of replicas) server.kill('SIGKILL');
        await database.stop();
      }
    });
  }
}

/** Asks one, watches at the other with a ticket of the first, and kills the first in the middle of the answer. */
async function outliveKill([one, other]) {
  const started = await fetch(`${one.url}/assistant/runs`, {
    method: 'POST',
    headers: HEADERS,
    body: JSON.stringify({ message: 'Tell me slowly what a lamp costs.' }),
  });
  const { runId } = await started.json();
  const issued = await fetch(`${one.url}/assistant/runs/${runId}/ticket`, {
    method: 'POST',
    headers: HEADERS,
  });
  const { eventsUrl } = await issued.json();

  // As an EventSource: no header but this.
  const stream = await fetch(new URL(eventsUrl, other.url), {
    headers: { accept: 'text/event-stream' },
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  if (stream.status !== 200) throw new Error(`A ticket of one replica is ${stream.status} at the other.`);
  let text = '';
  for await (const bytes of stream.body) {
    text += Buffer.from(bytes).toString();
    if (one.server.exitCode === null && one.server.signalCode === null && text.includes('event: text-delta'))
      one.server.kill('SIGKILL');
  }
  const frames = framesIn(text);
  if (one.server.signalCode !== 'SIGKILL') throw new Error('The first replica was not killed in the middle.');
  const end = frames.at(-1);
  if (end.event !== 'end' || end.data.outcome !== 'completed')
    throw new Error(`The stream ended with ${JSON.stringify(end)}.`);
  const takenOver = frames.findLastIndex(({ event }) => event === 'step-reset');
  const words = joinText(frames.slice(takenOver + 1));
  if (!words.endsWith(ANSWER)) throw new Error(`It said: ${words}`);
  return takenOver < 0 ? 'taken over between two steps' : 'taken over in the middle of the answer';
}
