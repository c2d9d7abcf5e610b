import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from '@jest/globals';
import { FaultProxy } from '../../src/testing/fault.proxy.js';
import { chatServers } from '../support/chat.server.js';
import { AppProcess } from './support/app.process.js';
import { describeInChromium } from './support/browser.js';
import { ChatPage } from './support/chat.page.js';
import { Puppet } from './support/puppet.js';

describeInChromium('page on a bad connection', (chromium) => {
  const serve = chatServers();
  const toUndo: (() => Promise<void>)[] = [];

  afterEach(async () => {
    for (const undo of toUndo.splice(0).toReversed()) await undo();
  });

  /** A server behind a proxy that can cut, and refuse for as long as `network.up` is false. */
  async function open() {
    const puppet = new Puppet();
    const server = await serve({ play: puppet.play });
    const network = { up: true };
    const proxy = await FaultProxy.listen({ target: () => (network.up ? server.port : undefined) });
    toUndo.push(() => proxy.close());
    const page = await chromium.visit(proxy.origin, { mayFail: true });
    return { puppet, server, network, proxy, chat: new ChatPage(page) };
  }

  it('says that it reconnects, continues by itself, and ends with the text of the log', async () => {
    const { puppet, server, network, proxy, chat } = await open();
    await chat.ask('Talk');
    const run = await puppet.run();
    run.say('Before ');
    await chat.shows('Before');
    network.up = false;
    proxy.drop('reset');
    run.say('between ');
    await chat.badge.getByText('Reconnecting').waitFor();
    expect(await chat.words()).toBe('Before');

    network.up = true;
    await chat.shows('Before between');
    await chat.badge.getByText('Live').waitFor();
    run.say('after');
    run.end();
    await chat.stands('completed');
    const { body } = await server.call('GET', `/threads/${chat.threadId}`);
    expect(body['messages']).toMatchObject([{ text: 'Talk' }, { text: await chat.words() }]);
    expect(await chat.words()).toBe('Before between after');
  });

  it('shows every word once through repeated cuts, and starts only one run', async () => {
    const { puppet, server, proxy, chat } = await open();
    await chat.ask('Count');
    const run = await puppet.run();
    const words: string[] = [];
    for (const word of ['one', 'two', 'three']) {
      words.push(word);
      run.say(`${word} `);
      await chat.shows(words.join(' '));
      proxy.drop(words.length % 2 === 0 ? 'cut' : 'reset');
    }
    run.end();
    await chat.stands('completed');
    expect(await chat.words()).toBe('one two three');
    const { body } = await server.call('GET', `/threads/${chat.threadId}`);
    expect(body['messages']).toHaveLength(2);
  });

  it('shows the end of a run that ended while the network was down', async () => {
    const { puppet, network, proxy, chat } = await open();
    await chat.ask('Finish without me');
    const run = await puppet.run();
    run.say('Begun ');
    await chat.shows('Begun');
    network.up = false;
    proxy.drop('cut');
    run.say('and done');
    run.end();
    await run.over;
    await chat.badge.getByText('Reconnecting').waitFor();
    network.up = true;
    await chat.stands('completed');
    await chat.shows('Begun and done');
  });

  it('says that a deleted run is gone, and offers to ask again', async () => {
    const { puppet, server, proxy, chat } = await open();
    await chat.ask('Will you be there?');
    const run = await puppet.run();
    run.say('Perhaps ');
    await chat.shows('Perhaps');
    // As after a restore of an older state.
    await server.storage.runs.deleteThread({ userId: 'local', tenant: 'local' }, chat.threadId);
    proxy.drop('cut');
    await chat.answer.getByText('This answer is no longer on the server.').waitFor();
    await chat.retry.waitFor();
    run.end();
  });

  it('keeps a message that could not be sent, and sends it once on retry', async () => {
    const { puppet, network, proxy, chat } = await open();
    // What shows a message comes after the form. Nothing can be loaded any more without a network.
    await chat.page.locator('.messages').waitFor({ state: 'attached' });
    network.up = false;
    proxy.drop('cut');
    await chat.ask('Hello?');
    await chat.answer.getByText('The server cannot be reached.').waitFor();
    network.up = true;
    await chat.retry.click();
    const run = await puppet.run();
    run.say('Hello!');
    run.end();
    await chat.stands('completed');
    expect(await chat.page.locator('[data-role=user]').count()).toBe(1);
  });

  it('says when the device itself is offline', async () => {
    const { chat } = await open();
    await chat.page.context().setOffline(true);
    await chat.badge.getByText('Offline').waitFor();
    await chat.page.context().setOffline(false);
    await chat.badge.getByText('Offline').waitFor({ state: 'detached' });
  });

  it("delivers every event once to the browser's own EventSource after a reset", async () => {
    const { puppet, server, proxy, chat } = await open();
    const { runId, eventsUrl } = await server.startRun();
    const run = await puppet.run();
    run.say('one ');
    await chat.page.evaluate((url) => {
      const seen: { id: string; type: string }[] = [];
      const source = new EventSource(url);
      const note = ({ type, lastEventId }: MessageEvent) => seen.push({ id: lastEventId, type });
      const types = [
        'ready',
        'run-start',
        'step-start',
        'text-start',
        'text-delta',
        'text-end',
        'step-end',
        'end',
      ];
      for (const type of types) source.addEventListener(type, note);
      source.addEventListener('end', () => source.close());
      Object.assign(globalThis, { seen });
    }, eventsUrl);
    const seen = () =>
      chat.page.evaluate(() => (globalThis as unknown as { seen: { id: string; type: string }[] }).seen);
    const heard = (type: string, times: number) =>
      chat.page.waitForFunction(
        ([type, times]) =>
          (globalThis as unknown as { seen: { type: string }[] }).seen.filter((frame) => frame.type === type)
            .length === times,
        [type, times] as const,
      );
    await heard('text-delta', 1);
    proxy.drop('reset');
    run.say('two ');
    await heard('text-delta', 2);
    run.end();
    await heard('end', 1);
    const frames = await seen();
    expect(frames.filter(({ type }) => type === 'ready')).toHaveLength(2);
    const log = (await server.watch(runId).then(async (stream) => (await stream.closed(), stream))).events;
    expect(frames.filter(({ type }) => type !== 'ready')).toEqual(
      log.map(({ id, event }) => ({ id, type: event })),
    );
  });

  it('completes the run without repeated text when the server is killed and restarted in the middle', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'page-'));
    const settings = { DATA_DIR: directory, LOG_LEVEL: 'info' };
    // So slow that a busy machine kills it in the middle of its answer, too.
    const app = new AppProcess({ ...settings, DEMO_PACE_MS: '400' });
    const restarted = new AppProcess({ ...settings, DEMO_PACE_MS: '5' });
    toUndo.push(async () => {
      await app.kill();
      await restarted.kill();
      await rm(directory, { recursive: true, force: true });
    });
    const proxy = await FaultProxy.listen({ target: () => app.port ?? restarted.port });
    toUndo.push(() => proxy.close());
    await app.start();
    const chat = new ChatPage(await chromium.visit(proxy.origin, { mayFail: true }));
    await chat.ask('Which countries border Austria and what are their capitals?');
    await chat.tools.and(chat.page.locator('[data-outcome=ok]')).waitFor();
    await chat.answer.getByText('Countries that border Austria').waitFor();
    await app.kill();
    await chat.badge.getByText('Reconnecting').waitFor();
    await restarted.start();
    await chat.stands('completed');

    const words = await chat.words();
    expect(words.match(/Countries that border Austria/g)).toHaveLength(1);
    expect(words.match(/Ljubljana/g)).toHaveLength(1);
    expect(await chat.tools.count()).toBe(1);
    await chat.page.reload();
    await chat.stands('completed');
    expect(await chat.words()).toBe(words);
  });
});
