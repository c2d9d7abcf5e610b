import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  calls,
  closeProviders,
  says,
  startProvider,
} from '../../src/agents/langgraph/scripted-provider.testing.js';
import { schemaName } from '../../src/storage/postgres/postgres.testing.js';
import type { BookingOptions } from '../harness/booking.process.js';
import { startProgram } from '../harness/program.js';
import { askingServers, type Question } from '../support/asking-mcp.server.js';
import { EventStream } from '../support/event-stream.js';
import { sharedData, SHARED_KINDS } from '../support/storages.js';

const PROGRAM = new URL('../harness/booking.process.ts', import.meta.url);

const question = (name: string): Question => ({
  message: `Which ${name}?`,
  requestedSchema: { type: 'object', properties: { [name]: { type: 'string' } }, required: [name] },
});

describe('a question of an MCP server, and kill -9', () => {
  const data = sharedData();
  const startMcp = askingServers();
  const processes: ChildProcess[] = [];
  afterEach(async () => {
    await Promise.all(processes.splice(0).map(kill));
    await closeProviders();
  });

  async function start(options: BookingOptions) {
    const child = startProgram(PROGRAM, JSON.stringify(options));
    processes.push(child);
    const [url] = (await once(child, 'message')) as [string];
    return { child, url };
  }

  it.each(SHARED_KINDS)(
    'waits without a process, and gets each answer in its place from the owner that makes the call, on %s',
    async (kind) => {
      const mcp = await startMcp(
        async (ask) => {
          const day = await ask(question('day'));
          const room = await ask(question('room'));
          return JSON.stringify([day.content, room.content]);
        },
        { readOnlyHint: true },
        async () => {
          // In the run that has the first answer: the process dies in the middle of the call.
          if (mcp.begun.length === 2) await kill(processes[1]!);
        },
      );
      const provider = await startProvider(({ messages }) => {
        const last = messages.at(-1);
        return last?.role === 'tool'
          ? says(last.content as string)
          : calls('c1', 'hall_book', '{"what":"table"}');
      });
      const storage =
        kind === 'sqlite'
          ? { directory: await mkdtemp(join(data.directory, 'run-')) }
          : { url: data.url, schema: schemaName() };
      const options = { storage, provider: provider.baseUrl, mcp: mcp.url };

      const first = await start(options);
      const asked = await read(
        await EventStream.open(first.url, { method: 'POST', body: { message: 'Book!' } }),
      );
      expect(asked.requests).toMatchObject([{ kind: 'elicitation', message: 'Which day?' }]);
      await kill(first.child);

      const second = await start(options);
      const goesOn = await answer(second.url, asked, { day: 'Friday' });
      await exited(second.child);

      const third = await start(options);
      const again = await read(await EventStream.open(`${third.url}/runs/${goesOn}/events`));
      expect(again.requests.at(-1)).toMatchObject({ kind: 'elicitation', message: 'Which room?' });
      expect(again.types).toContain('run-resume');
      const last = await answer(third.url, again, { room: 'blue' });
      const done = await read(await EventStream.open(`${third.url}/runs/${last}/events`));
      expect(done.text).toBe('[{"day":"Friday"},{"room":"blue"}]');
      expect(mcp.begun).toHaveLength(4);
    },
  );
});

async function answer(url: string, { runId, requests }: Asked, value: object): Promise<string> {
  const inputId = String(requests.at(-1)?.['inputId']);
  const response = await fetch(`${url}/runs/${runId}/inputs/${inputId}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ decision: 'answer', value }),
  });
  const { continuedBy } = (await response.json()) as { continuedBy: { runId: string } };
  return continuedBy.runId;
}

type Asked = Awaited<ReturnType<typeof read>>;

async function read(stream: EventStream) {
  await stream.closed();
  const { data } = await stream.frame('ready');
  const requests = stream.events.flatMap((each) => (each.event === 'input-request' ? [each.data] : []));
  const types = stream.events.map(({ event }) => event);
  return { runId: String(data['runId']), requests, types, text: stream.text };
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await exited(child);
}

async function exited(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}
