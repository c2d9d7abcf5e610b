import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from '@jest/globals';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { createApp } from '../../src/app/bootstrap.js';
import { loadConfig } from '../../src/app/config.js';
import { createLog } from '../../src/app/log.js';
import { EventStream } from './event-stream.js';

/** The whole standalone app, on SQLite in a directory of its own, with a log that the test can read. */
export interface AppServer {
  readonly app: NestExpressApplication;
  readonly origin: string;
  /** Every line that it has logged. */
  readonly log: string[];
  ask(body: unknown, headers?: Record<string, string>): Promise<EventStream>;
  close(): Promise<void>;
}

/** Starts apps that are closed, and whose data is removed, after each test. */
export function appServers(): (env?: Record<string, string>) => Promise<AppServer> {
  const servers: AppServer[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.close();
  });
  return async (env = {}) => {
    const server = await startApp(env);
    servers.push(server);
    return server;
  };
}

/** Starts one that the caller closes. */
export async function startApp(env: Record<string, string> = {}): Promise<AppServer> {
  const directory = await mkdtemp(join(tmpdir(), 'app-'));
  const lines: string[] = [];
  const log = createLog({ level: 'trace' }, { write: (line: string) => void lines.push(line) });
  const config = loadConfig({ DATA_DIR: directory, DEMO_PACE_MS: '0', DRAIN_SECONDS: '0', ...env });
  const app = await createApp(config, { log });
  await app.listen(0, '127.0.0.1');
  const origin = `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}`;
  return {
    app,
    origin,
    log: lines,
    ask: (body, headers = {}) => EventStream.open(`${origin}/api/chat`, { method: 'POST', body, headers }),
    close: async () => {
      app.getHttpServer().closeAllConnections();
      await app.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
