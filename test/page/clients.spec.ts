import { afterAll, afterEach, beforeAll, expect, it, describe } from '@jest/globals';
import { AppError } from '../../src/errors.js';
import { FaultProxy } from '../../src/testing/fault.proxy.js';
import { ScriptedAgent } from '../../src/testing/scripted.agent.js';
import { appServers } from '../support/app.server.js';
import { chatServers, type ChatServerOptions } from '../support/chat.server.js';
import { payingServers } from '../protocols/approvals.server.js';
import { untilEqual } from '../support/until.js';
import { describeInChromium } from './support/browser.js';
import { ClientPage } from './support/client.page.js';
import { buildReactPages, ClientPages } from './support/client-pages.js';
import { Puppet } from './support/puppet.js';

/** Above what an installation from a registry takes. */
const BUILD_MS = 300_000;
const KEY = 'a-key-of-some-length';

interface Library {
  readonly page: string;
  /** Comes back after a cut without being told to. */
  readonly reconnects: boolean;
  /** Lines that it, or the browser, may write to the console if all is well, or if a test lets a run fail. */
  readonly mayComplain?: RegExp;
}

const LIBRARIES: readonly (readonly [string, Library])[] = [
  ['useChat of the AI SDK', { page: 'react/ai-sdk/', reconnects: false }],
  [
    'useStream of LangGraph',
    // It asks for the state of a thread that does not exist yet, and takes the 404 for an answer.
    { page: 'react/langgraph/', reconnects: true, mayComplain: /status of 404/ },
  ],
  [
    'useAgent of CopilotKit',
    {
      page: 'react/copilotkit/',
      reconnects: false,
      mayComplain: /Agent execution failed|network error/,
    },
  ],
];

describeInChromium('pages of examples/clients', (chromium) => {
  const serveChat = chatServers();
  const serveApp = appServers();
  const servePayer = payingServers();
  const proxies: FaultProxy[] = [];
  let pages: ClientPages;

  beforeAll(async () => {
    await buildReactPages();
    pages = await ClientPages.serve();
  }, BUILD_MS);
  afterEach(async () => {
    await Promise.all(proxies.splice(0).map((proxy) => proxy.close()));
  });
  afterAll(() => pages.close());

  describe.each(LIBRARIES)('%s', (_name, { page, reconnects, mayComplain }) => {
    const settings = () => ({ CORS_ORIGINS: pages.origin });

    /** The page, in front of an agent that does what the test says. */
    async function open(options: ChatServerOptions = {}, { mayFail = false } = {}) {
      const puppet = new Puppet();
      const agents = () => [new ScriptedAgent(puppet.play, { name: 'assistant' })];
      const server = await serveChat({ agents, protocols: {}, settings: settings(), ...options });
      const line = { isDown: false };
      const proxy = await FaultProxy.listen({ target: () => (line.isDown ? undefined : server.port) });
      proxies.push(proxy);
      const cut = () => {
        line.isDown = true;
        proxy.drop('reset');
      };
      const mend = async () => {
        line.isDown = false;
        if (!reconnects) await chat.page.getByRole('button', { name: 'Reconnect' }).click();
      };
      const chat = new ClientPage(
        await chromium.visit(pages.toUrl(page, proxy.origin), { mayFail, mayComplain }),
      );
      return { puppet, chat, cut, mend };
    }

    it('shows a conversation with tools, and the same again after a reload', async () => {
      const { origin } = await serveApp(settings());
      const chat = new ClientPage(await chromium.visit(pages.toUrl(page, origin), { mayComplain }));
      await chat.ask('What is 17 times 23?');
      await chat.page.locator('.tool[data-tool=calculator]').waitFor();
      await chat.page.locator('.words[data-of=assistant]', { hasText: '391' }).waitFor();
      await chat.isIdle();
      await chat.ask('What is the capital of Austria?');
      await chat.page.locator('.words[data-of=assistant]', { hasText: 'Vienna' }).waitFor();
      await chat.isIdle();

      const said = await chat.page.locator('.words, .tool').allInnerTexts();
      expect(said).toContain('What is 17 times 23?');
      await chat.page.reload();
      await chat.page.locator('.words[data-of=assistant]', { hasText: 'Vienna' }).waitFor();
      await untilEqual(() => chat.page.locator('.words, .tool').allInnerTexts(), said);
    });

    it('shows text and tools as they arrive, also after a reload and in a second tab', async () => {
      const { puppet, chat } = await open();
      await chat.ask('Go.');
      const run = await puppet.run();
      run.say('Half ');
      await chat.shows('Go.', 'Half');
      await chat.stop.waitFor();

      const other = new ClientPage(await chat.page.context().newPage());
      await other.page.goto(chat.page.url());
      await chat.page.reload();
      for (const tab of [chat, other]) {
        await tab.shows('Go.', 'Half');
        await tab.stop.waitFor();
      }
      run.say('and half.');
      for (const tab of [chat, other]) await tab.shows('Go.', 'Half and half.');
      run.startTool('call', 'Looking…');
      for (const tab of [chat, other]) await tab.tools.waitFor();
      run.endTool('call', { outcome: 'ok', output: 'found', durationMs: 1 });
      run.say('Done.');
      run.end();
      for (const tab of [chat, other]) {
        await tab.shows('Go.', 'Half and half.', 'Done.');
        await tab.isIdle();
        await untilEqual(() => tab.tools.count(), 1);
      }
    });

    it('continues after a cut without repeating text', async () => {
      const { puppet, chat, cut, mend } = await open({}, { mayFail: true });
      await chat.ask('Go.');
      const run = await puppet.run();
      run.say('Half ');
      await chat.shows('Go.', 'Half');
      cut();
      await mend();
      run.say('and half.');
      await chat.shows('Go.', 'Half and half.');
      run.end();
      await chat.isIdle();
      await chat.shows('Go.', 'Half and half.');

      await chat.ask('Again.');
      const second = await puppet.run();
      second.say('Fine.');
      second.end();
      await chat.shows('Go.', 'Half and half.', 'Again.', 'Fine.');
      await chat.isIdle();
    });

    it('shows the whole text of a run that ended while the connection was cut', async () => {
      const { puppet, chat, cut, mend } = await open({}, { mayFail: true });
      await chat.ask('Go.');
      const run = await puppet.run();
      run.say('Half ');
      await chat.shows('Go.', 'Half');
      cut();
      run.say('and half.');
      run.end();
      await run.over;
      await mend();
      await chat.shows('Go.', 'Half and half.');
      await chat.isIdle();
      await chat.alert.waitFor({ state: 'detached' });
    });

    it('stops the run and keeps the partial text', async () => {
      const { puppet, chat } = await open();
      await chat.ask('A long story');
      const run = await puppet.run();
      run.say('Once upon a time');
      await chat.shows('A long story', 'Once upon a time');
      await chat.stop.click();
      await expect(run.over).rejects.toBeDefined();
      await chat.isIdle();
      await chat.shows('A long story', 'Once upon a time');
      await chat.page.reload();
      await chat.shows('A long story', 'Once upon a time');
      await chat.isIdle();
    });

    it('shows the public message of a failed run, and completes the next one', async () => {
      const { puppet, chat } = await open();
      await chat.ask('Try.');
      const run = await puppet.run();
      run.fail(new AppError('MODEL_OVERLOADED', 'The model is overloaded.', { cause: new Error('sk-123') }));
      await chat.alert.filter({ hasText: 'The model is overloaded.' }).waitFor();
      expect(await chat.page.content()).not.toContain('sk-123');
      await chat.isIdle();

      await chat.ask('Again.');
      const second = await puppet.run();
      second.say('It works.');
      second.end();
      await chat.shows('Try.', 'Again.', 'It works.');
      await chat.isIdle();
    });

    it('asks for approval before a call, and continues after approving or denying it', async () => {
      const { url } = await servePayer({ settings: settings() });
      const address = pages.toUrl(page, new URL(url).origin, 'chat');
      const chat = new ClientPage(await chromium.visit(address, { mayComplain }));
      await chat.ask('Pay 20.');
      await chat.approval.filter({ hasText: 'Paying Eve' }).waitFor();
      await chat.page.reload();
      await chat.approval.getByRole('button', { name: 'Approve' }).click();
      await chat.shows('Pay 20.', 'Let me pay.', '[20 to Eve]');
      await chat.isIdle();
      await chat.approval.waitFor({ state: 'detached' });

      await chat.ask('Pay 30.');
      await chat.approval.getByRole('button', { name: 'Deny' }).click();
      await chat.page.locator('.words', { hasText: 'not approved' }).waitFor();
      await chat.isIdle();
      await chat.approval.waitFor({ state: 'detached' });
      expect(await chat.page.locator('.words', { hasText: '30 to Eve' }).count()).toBe(0);
    });

    it('shows a 401 without credentials, and works with them', async () => {
      const auth = { kind: 'credentials', apiKeys: [{ key: KEY, userId: 'ann', tenant: 'acme' }] } as const;
      const { puppet, chat } = await open({ auth }, { mayFail: true });
      await chat.alert.filter({ hasText: /401|UNAUTHENTICATED/ }).waitFor();

      await chat.page.evaluate((key) => sessionStorage.setItem('token', key), KEY);
      await chat.page.reload();
      await chat.ask('Who am I?');
      const run = await puppet.run();
      run.say('Ann');
      run.end();
      await chat.shows('Who am I?', 'Ann');
      await chat.isIdle();
    });
  });
});
