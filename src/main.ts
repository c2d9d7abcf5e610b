import { announce } from './app/announce.js';
import { createApp } from './app/bootstrap.js';
import { loadConfig } from './app/config.js';
import { exitOnFailedStart, exitOnUncaught, stopOnSignals } from './app/lifecycle.js';
import { createLog } from './app/log.js';
import { warmUp } from './app/warm-up.js';

try {
  const config = loadConfig();
  const log = createLog(config.logging);
  exitOnUncaught(log);
  const app = await createApp(config, { log });
  stopOnSignals(app, config, log);
  await app.listen(config.http.port, config.http.host);
  announce(await app.getUrl(), config, log);
  if (config.roles.includes('worker')) warmUp();
} catch (error) {
  exitOnFailedStart(error);
}
