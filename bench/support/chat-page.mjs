import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { chromium } from 'playwright-core';
import { load } from './product.mjs';

/**
 * Starts the app with its page, over storage in memory, and Chromium (CHROMIUM_PATH).
 *
 * @param talk the answer of the agent
 * @param limits those of the runs, beside the log's size
 */
export async function startChatPage(talk, limits = {}) {
  const [{ ChatModule }, { ScriptedAgent }, { MemoryStorage }, { addEdge }, { loadConfig }, { createLog }] =
    await Promise.all(
      [
        'index.js',
        'testing/index.js',
        'storage/index.js',
        'app/bootstrap.js',
        'app/config.js',
        'app/log.js',
      ].map(load),
    );
  const app = await NestFactory.create(
    ChatModule.forRoot({
      storage: new MemoryStorage(),
      auth: { kind: 'local' },
      agents: () => [new ScriptedAgent(talk)],
      limits: { maxLogBytes: 64 * 1024 * 1024, ...limits },
    }),
    { logger: false, bodyParser: false },
  );
  addEdge(app, loadConfig({}), createLog({ level: 'silent' }));
  await app.listen(0, '127.0.0.1');
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM_PATH || '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu'],
  });
  const close = async () => {
    await browser.close();
    await app.close();
  };
  return { origin: await app.getUrl(), browser, close };
}
