import { expect, it } from '@jest/globals';
import { chatServers } from '../support/chat.server.js';
import { describeInChromium } from './support/browser.js';
import { ChatPage, toPageUrl } from './support/chat.page.js';
import { Puppet } from './support/puppet.js';

describeInChromium('agents inside an agent on the page', (chromium) => {
  const serve = chatServers();

  it('shows what each of them says under its name, apart from the answer, live and after a reload', async () => {
    const puppet = new Puppet();
    const server = await serve({ play: puppet.play });
    const chat = new ChatPage(await chromium.visit(toPageUrl(server)));
    await chat.ask('Find it');
    const run = await puppet.run();
    const searcher = (toolCallId: string) =>
      ({ name: 'web_searcher', path: [`tools:${toolCallId}`], toolCallId }) as const;
    run.startTool('a', 'Searching…');
    run.startTool('b', 'Searching…');
    run.sayAs(searcher('a'), 'Looking in the archive.');
    run.sayAs(searcher('b'), 'Looking on the web.');
    run.sayAs(searcher('a'), 'Nothing there.');
    run.endTool('a', { outcome: 'ok', durationMs: 1 });
    run.endTool('b', { outcome: 'ok', durationMs: 1 });
    run.say('It is on the web.');
    run.end();
    await chat.stands('completed');

    const groups = chat.answer.getByTestId('subagent');
    const said = [
      'web searcherLooking in the archive.\nNothing there.\n',
      'web searcherLooking on the web.\n',
    ];
    expect(await groups.allTextContents()).toEqual(said);
    const answer = chat.answer.locator(':scope > .parts > .text');
    expect(await answer.allTextContents()).toEqual(['It is on the web.\n']);

    await groups.first().getByText('web searcher').click();
    expect(await groups.first().getByText('Nothing there.').isVisible()).toBe(false);

    await chat.page.reload();
    await chat.stands('completed');
    expect(await groups.allTextContents()).toEqual(said);
  });
});
