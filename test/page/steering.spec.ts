import { expect, it } from '@jest/globals';
import { ScriptedAgent } from '../../src/testing/scripted.agent.js';
import { chatServers, gate } from '../support/chat.server.js';
import { findViolations } from './support/accessibility.js';
import { describeInChromium } from './support/browser.js';
import { ChatPage, toPageUrl } from './support/chat.page.js';
import { Puppet } from './support/puppet.js';

describeInChromium('a queued message that is sent to the answer', (chromium) => {
  const serve = chatServers();

  async function open({ isSteerable = true, mayFail = false } = {}) {
    const puppet = new Puppet();
    const server = await serve({ agents: () => [new ScriptedAgent(puppet.play, { isSteerable })] });
    const chat = new ChatPage(await chromium.visit(toPageUrl(server), { mayFail }));
    const { page } = chat;
    /** Asks, and asks again while the first word of the answer is there. */
    const askTwice = async () => {
      await chat.ask('One');
      const run = await puppet.run();
      run.say('1');
      await chat.shows('1');
      await chat.ask('Two');
      return run;
    };
    return {
      puppet,
      server,
      chat,
      askTwice,
      steer: page.getByTestId('steer'),
      queued: page.getByTestId('queued'),
    };
  }

  it('appears at its place in the answer, in every tab and after a reload', async () => {
    const { puppet, chat, steer, queued } = await open();
    await chat.ask('Which countries?');
    const run = await puppet.run();
    run.say('Austria, Switzerland');
    await chat.shows('Austria, Switzerland');
    await chat.ask('Only the EU');
    await queued.waitFor();
    const tab = new ChatPage(await chromium.visit(chat.page.url()));
    await tab.shows('Austria, Switzerland');
    // By keyboard, as well.
    await steer.focus();
    await chat.page.keyboard.press('Enter');
    await queued.getByTestId('steered').waitFor();
    expect(await findViolations(chat.page)).toEqual([]);
    expect(await run.takeMessages()).toEqual(['Only the EU']);
    await queued.waitFor({ state: 'detached' });
    run.say('Austria');
    for (const each of [chat, tab]) {
      await each.shows('Austria, Switzerland Austria');
      expect(await each.page.getByTestId('person').innerText()).toBe('Only the EU');
    }
    expect(await findViolations(chat.page)).toEqual([]);
    run.end();
    await chat.stands('completed');
    await chat.page.reload();
    await chat.shows('Austria, Switzerland Austria');
    const kinds = await chat.answer
      .locator('.parts > *')
      .evaluateAll((parts) => parts.map((part) => part.className));
    expect(kinds.map((kind) => (kind.includes('person') ? 'person' : 'text'))).toEqual([
      'text',
      'person',
      'text',
    ]);
    expect(await chat.page.getByTestId('message').count()).toBe(2);
  });

  it('stays queued when the run takes none any more, and is sent after the answer', async () => {
    const { puppet, chat, askTwice, steer, queued } = await open({ mayFail: true });
    await chat.page.route('**/messages', (route) =>
      route.fulfill({ status: 409, contentType: 'application/problem+json', body: '{"code":"RUN_CLOSED"}' }),
    );
    const run = await askTwice();
    await steer.click();
    await steer.waitFor();
    expect(await queued.count()).toBe(1);
    run.end();
    expect((await puppet.run()).message).toBe('Two');
  });

  it('is sent once, and is in the answer once, when the reply to it is lost or late', async () => {
    for (const fate of ['lost', 'late'] as const) {
      const { server, chat, askTwice, steer, queued } = await open({ mayFail: true });
      const held = gate();
      let requests = 0;
      await chat.page.route('**/messages', async (route) => {
        requests += 1;
        const response = await route.fetch();
        if (fate === 'late') await held.opened;
        return fate === 'lost' && requests === 1 ? route.abort() : route.fulfill({ response });
      });
      const run = await askTwice();
      await steer.click();
      expect(await run.takeMessages()).toEqual(['Two']);
      run.say('2');
      run.end();
      await chat.stands('completed');
      held.open();
      await queued.waitFor({ state: 'detached' });
      expect(await chat.page.getByTestId('person').innerText()).toBe('Two');
      expect(requests).toBe(fate === 'lost' ? 2 : 1);
      const { body } = await server.call('GET', '/runs');
      expect(body['items']).toHaveLength(1);
    }
  });

  it('is taken back until the answer has it, and is queued again if the answer ends without it', async () => {
    const { puppet, chat, askTwice, steer, queued } = await open();
    await askTwice();
    await steer.click();
    await queued.getByTestId('steered').waitFor();
    await queued.getByRole('button', { name: 'Edit' }).click();
    await queued.waitFor({ state: 'detached' });
    expect(await chat.composer.inputValue()).toBe('Two');
    await chat.composer.press('Enter');
    await steer.click();
    await queued.getByTestId('steered').waitFor();
    await chat.stop.click();
    await chat.stands('cancelled');
    await queued.waitFor();
    expect(await queued.getByTestId('steered').count()).toBe(0);
    await chat.page.getByRole('button', { name: 'Send now' }).click();
    expect((await puppet.run()).message).toBe('Two');
  });

  it('is not offered where the agent takes none', async () => {
    const { askTwice, steer, queued } = await open({ isSteerable: false });
    await askTwice();
    await queued.waitFor();
    expect(await steer.count()).toBe(0);
  });
});
