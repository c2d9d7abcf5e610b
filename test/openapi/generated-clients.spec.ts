import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from '@jest/globals';
import { compile, linkPackages } from '../embedding/packed-package.js';
import { startApp } from '../support/app.server.js';
import type { Play } from '../support/chat.server.js';
import { describeHost, startHost } from './documents.js';

const run = promisify(execFile);
const GENERATE = fileURLToPath(new URL('./generate-clients.mjs', import.meta.url));
const SLOW_MS = 240_000;

/** Starts, follows and cancels a run with each client. Compiled with their types, so that it also says what these have to be. */
const program = (path: string, name: string) => `
import createClient from 'openapi-fetch';
import { client } from './hey-api/client.gen.js';
import * as heyApi from './hey-api/sdk.gen.js';
import type { paths } from './openapi-typescript.js';
import * as orval from './orval.js';

const [baseUrl = '', message = ''] = process.argv.slice(2);
client.setConfig({ baseUrl });
const fetched = createClient<paths>({ baseUrl });

async function withHeyApi() {
  const started = await heyApi.${name}ControllerStartDetached({ body: { message }, throwOnError: true });
  const { runId } = started.data;
  const { stream } = await heyApi.${name}ControllerEvents({ path: { runId } });
  let outcome: string | undefined;
  let seen = 0;
  for await (const event of stream) {
    seen++;
    if (event.type === 'run-start') await heyApi.${name}ControllerCancel({ path: { runId }, throwOnError: true });
    if (event.type === 'end') outcome = event.outcome;
    if (event.type === 'end') break;
  }
  return { outcome, seen: seen > 2 };
}

async function withOpenapiFetch() {
  const { data } = await fetched.POST('${path}/runs', { body: { message } });
  if (!data) throw new Error('The run was not started.');
  const params = { path: { runId: data.runId } };
  const { data: cancelled } = await fetched.POST('${path}/runs/{runId}/cancel', { params });
  const { data: events } = await fetched.GET('${path}/runs/{runId}/events', { params, parseAs: 'text' });
  const text: unknown = events;
  return { outcome: /"outcome":"(\\w+)"/.exec(String(text))?.[1], seen: cancelled?.id === data.runId };
}

async function withOrval() {
  const started = await orval.${name}ControllerStartDetached({ message });
  if (started.status !== 202) throw new Error(started.data.detail);
  const { runId } = started.data;
  const cancelled = await orval.${name}ControllerCancel(runId);
  if (cancelled.status !== 202) throw new Error(cancelled.data.detail);
  const { data } = await orval.${name}ControllerEvents(runId);
  return { outcome: /"outcome":"(\\w+)"/.exec(String(data))?.[1], seen: cancelled.data.id === runId };
}

console.log(JSON.stringify([await withHeyApi(), await withOpenapiFetch(), await withOrval()]));
`;

const TSCONFIG = {
  compilerOptions: {
    module: 'nodenext',
    target: 'es2023',
    lib: ['es2023', 'dom', 'dom.iterable', 'dom.asynciterable'],
    types: ['node'],
    strict: true,
    skipLibCheck: true,
    allowImportingTsExtensions: true,
    rewriteRelativeImportExtensions: true,
    outDir: 'dist',
    rootDir: '.',
  },
  include: ['*.ts', 'hey-api/**/*.ts'],
};

/** Works until somebody stops it. */
const play: Play = async (_input, { signal }) => {
  await once(signal, 'abort');
  signal.throwIfAborted();
};

describe('clients generated from the OpenAPI document', () => {
  const folders: string[] = [];
  afterEach(async () => {
    for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
  });

  async function tryClients(document: object, origin: string, source: string): Promise<unknown> {
    const folder = await mkdtemp(join(tmpdir(), 'clients-'));
    folders.push(folder);
    await writeFile(join(folder, 'document.json'), JSON.stringify(document));
    await run(process.execPath, [GENERATE, join(folder, 'document.json'), folder, origin]);
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(TSCONFIG));
    await writeFile(join(folder, 'use.ts'), source);
    await linkPackages(folder, ['openapi-fetch', '@types/node', 'undici-types']);
    await compile(folder);
    const { stdout } = await run(process.execPath, [join(folder, 'dist/use.js'), origin, 'hello'], {
      cwd: folder,
    });
    return JSON.parse(stdout);
  }

  const cancelled = { outcome: 'cancelled', seen: true };

  it(
    'compiles three generated clients, which start, follow and cancel a run of the standalone app',
    async () => {
      const app = await startApp({ DEMO_PACE_MS: '200' });
      try {
        const document = (await (await fetch(`${app.origin}/openapi.json`)).json()) as object;
        expect(await tryClients(document, app.origin, program('/api/chat', 'chat'))).toEqual([
          cancelled,
          cancelled,
          cancelled,
        ]);
      } finally {
        await app.close();
      }
    },
    SLOW_MS,
  );

  it(
    "compiles three clients generated from a host's document, which start, follow and cancel its run",
    async () => {
      const host = await startHost(play);
      try {
        const document = describeHost(host, '3.0.0');
        const source = program('/assistant', 'assistantChat');
        expect(await tryClients(document, host.url(''), source)).toEqual([cancelled, cancelled, cancelled]);
      } finally {
        await host.close();
      }
    },
    SLOW_MS,
  );
});
