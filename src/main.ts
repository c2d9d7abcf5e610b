import { announce } from './app/announce.js';
import { createApp } from './app/bootstrap.js';
import { loadConfig } from './app/config.js';
import { exitOnBrokenStorage, exitOnFailedStart, exitOnUncaught, stopOnSignals } from './app/lifecycle.js';
import { createLog } from './app/log.js';
import { startTelemetry } from './app/telemetry-sdk.js';
import { Storage } from './storage/storage.js';

try {
  const config = loadConfig();
  const log = createLog(config.logging);
  exitOnUncaught(log);
  const stopTelemetry = await startTelemetry(config.telemetry, log);
  const app = await createApp(config, { log });
  stopOnSignals(app, config.chat, { log, stopTelemetry });
  exitOnBrokenStorage(app.get(Storage, { strict: false }), log);
  await app.listen(config.http.port, config.http.host);
  announce(await app.getUrl(), config, log);
} catch (error) {
  exitOnFailedStart(error);
}
