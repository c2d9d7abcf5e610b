import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { FaultProxy } from '../../src/testing/fault.proxy.js';
import { chatServers, type ChatServerOptions } from '../support/chat.server.js';
import { describeInChromium } from './support/browser.js';
import { ClientPages } from './support/client-pages.js';
import { Puppet } from './support/puppet.js';

describeInChromium('examples/clients/event-source.html', (chromium) => {
  const serve = chatServers();
  const proxies: FaultProxy[] = [];
  let pages: ClientPages;

  beforeAll(async () => {
    pages = await ClientPages.serve();
  });
  afterEach(async () => {
    await Promise.all(proxies.splice(0).map((proxy) => proxy.close()));
  });
  afterAll(() => pages.close());

  async function open(options: ChatServerOptions = {}) {
    const puppet = new Puppet();
    const server = await serve({
      play: puppet.play,
      settings: { CORS_ORIGINS: pages.origin },
      ...options,
    });
    const proxy = await FaultProxy.listen({ target: () => server.port });
    proxies.push(proxy);
    const page = await chromium.visit(pages.toUrl('event-source.html', proxy.origin), { mayFail: true });
    const ask = async (question: string) => {
      await page.getByRole('textbox').fill(question);
      await page.getByRole('button', { name: 'Send' }).click();
    };
    const shows = (...lines: string[]) =>
      page.waitForFunction((expected) => {
        const shown = [...document.querySelectorAll('#answer p')].map(({ textContent }) => textContent);
        return JSON.stringify(shown) === JSON.stringify(expected);
      }, lines);
    return { puppet, proxy, page, ask, shows };
  }

  it('shows a run to its end through a cut and a reload', async () => {
    const { puppet, proxy, page, ask, shows } = await open();
    await ask('Go.');
    const run = await puppet.run();
    run.say('Half ');
    run.startTool('call', 'Looking…');
    await shows('Half ', 'Looking…');
    proxy.drop('reset');
    run.endTool('call', { outcome: 'ok', durationMs: 7 });
    await shows('Half ', 'Looking… ok, 7 ms');
    await page.reload();
    run.say('and half.');
    await shows('Half ', 'Looking… ok, 7 ms', 'and half.');
    run.end();
    await shows('Half ', 'Looking… ok, 7 ms', 'and half.', 'completed');
  });

  it('cancels the run when Stop is clicked', async () => {
    const { puppet, page, ask, shows } = await open();
    await ask('Go.');
    const run = await puppet.run();
    run.say('Half');
    await shows('Half');
    await page.getByRole('button', { name: 'Stop' }).click();
    await expect(run.over).rejects.toBeDefined();
    await shows('Half', 'cancelled');
  });

  it('asks to sign in without credentials, and follows the run by ticket with them', async () => {
    const key = 'a-key-of-some-length';
    const { puppet, page, ask, shows } = await open({
      auth: { kind: 'credentials', apiKeys: [{ key, userId: 'ann', tenant: 'acme' }] },
    });
    await ask('Who am I?');
    await page.locator('#answer', { hasText: /sign in|token|credentials/i }).waitFor();
    await page.evaluate((token) => sessionStorage.setItem('token', token), key);
    await page.reload();
    await ask('Who am I?');
    const run = await puppet.run();
    run.say('Ann');
    run.end();
    await shows('Ann', 'completed');
  });
});
