import { expect, it } from '@jest/globals';
import { ScriptedAgent } from '../../src/testing/scripted.agent.js';
import { chatServers, gate } from '../support/chat.server.js';
import { describeInChromium } from './support/browser.js';
import { ChatPage, toPageUrl } from './support/chat.page.js';
import { Puppet } from './support/puppet.js';

describeInChromium('message form of the page', (chromium) => {
  const serve = chatServers();

  it('cancels a run that is stopped before the server has replied', async () => {
    const puppet = new Puppet();
    const server = await serve({ play: puppet.play });
    const chat = new ChatPage(await chromium.visit(toPageUrl(server)));
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

  it("shows another window's run that is in progress, and sends the message after it", async () => {
    const puppet = new Puppet();
    const server = await serve({ play: puppet.play });
    const first = new ChatPage(await chromium.visit(toPageUrl(server), { mayFail: true }));
    await first.ask('One');
    (await puppet.run()).end();
    await first.stands('completed');
    // In a browser of its own: tabs of the same one tell each other.
    const second = new ChatPage(await chromium.visit(first.page.url(), { mayFail: true }));
    await second.stands('completed');
    await second.threads.first().waitFor();

    await first.ask('Two');
    const run = await puppet.run();
    await second.ask('Three');
    await second.page.getByTestId('queued').getByText('Three').waitFor();
    await second.page.locator('[data-role=user]').getByText('Two').waitFor();
    run.end();
    await first.stands('completed');
    const third = await puppet.run();
    expect(third.message).toBe('Three');
    third.say('Now');
    third.end();
    await second.shows('Now');
  });

  it('sends an example when it is clicked', async () => {
    const puppet = new Puppet();
    const agent = Object.assign(new ScriptedAgent(puppet.play), {
      suggestions: ['Which countries border Austria?', 'What time is it?'],
    });
    const server = await serve({ agents: () => [agent] });
    const chat = new ChatPage(await chromium.visit(toPageUrl(server)));
    await chat.page.getByTestId('example').first().click();
    const run = await puppet.run();
    expect(run.message).toBe('Which countries border Austria?');
    run.end();
    await chat.stands('completed');
  });
});
