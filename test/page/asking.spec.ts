import { expect, it } from '@jest/globals';
import { chatServers, gate } from '../support/chat.server.js';
import { describeInChromium } from './support/browser.js';
import { ChatPage, pageOf } from './support/chat.page.js';
import { Puppet } from './support/puppet.js';

describeInChromium('asking on the page', (chromium) => {
  const serve = chatServers();

  it('can be taken back before the server has answered', async () => {
    const puppet = new Puppet();
    const server = await serve({ play: puppet.play });
    const chat = new ChatPage(await chromium.visit(pageOf(server)));
    const line = gate();
    await chat.page.route('**/api/chat/runs', async (route) => {
      await line.opened;
      await route.continue();
    });
    await chat.ask('Never mind');
    await chat.stop.click();
    line.open();
    await chat.stands('cancelled');
  });

  it('waits its turn when another window was quicker', async () => {
    const puppet = new Puppet();
    const server = await serve({ play: puppet.play });
    const first = new ChatPage(await chromium.visit(pageOf(server), { mayFail: true }));
    await first.ask('One');
    (await puppet.run()).end();
    await first.stands('completed');
    const tab = await first.page.context().newPage();
    await tab.goto(first.page.url());
    const second = new ChatPage(tab);
    await second.stands('completed');
    await second.threads.first().waitFor();

    await first.ask('Two');
    const run = await puppet.run();
    await second.ask('Three');
    await second.answer.getByText('Another answer is being written in this conversation.').waitFor();
    run.end();
    await first.stands('completed');
    await second.retry.click();
    const third = await puppet.run();
    expect(third.message).toBe('Three');
    third.say('Now');
    third.end();
    await second.shows('Now');
  });

  it('starts with an example at a click', async () => {
    const puppet = new Puppet();
    const server = await serve({ play: puppet.play });
    const chat = new ChatPage(await chromium.visit(pageOf(server)));
    await chat.page.getByTestId('example').first().click();
    const run = await puppet.run();
    expect(run.message).toMatch(/^Which countries border Austria\?/);
    run.end();
    await chat.stands('completed');
  });
});
