import { mkdtempSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from '@jest/globals';
import { createApp } from '../../src/app/bootstrap.js';
import { loadConfig } from '../../src/app/config.js';
import { createLog } from '../../src/app/log.js';
import { defaultStorage } from '../support/storages.js';

/** Starts the standalone app with its offline model, on a real port, and gives its URL. Closed after each test. */
export function demoServers(): (env?: Record<string, string>) => Promise<string> {
  const apps: Awaited<ReturnType<typeof createApp>>[] = [];
  afterEach(async () => {
    for (const app of apps.splice(0)) {
      app.getHttpServer().closeAllConnections();
      await app.close();
    }
  });
  return async (env = {}) => {
    const DATA_DIR = mkdtempSync(join(tmpdir(), 'demo-'));
    const config = loadConfig({ DATA_DIR, DEMO_PACE_MS: '0', ...env });
    const app = await createApp(config, {
      storage: defaultStorage(),
      log: createLog({ level: 'silent' }),
    });
    apps.push(app);
    await app.listen(0, '127.0.0.1');
    return `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}`;
  };
}
