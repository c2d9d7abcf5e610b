import { expect, it } from '@jest/globals';
import { chatServers } from '../support/chat.server.js';
import { createAnswer } from '../../src/testing/scripted.agent.js';
import { sayOneByOne } from '../support/plays.js';
import { createChatAgent } from '../../src/agents/langgraph/chat.agent.js';
import { ScriptedModel } from '../../src/agents/langgraph/langgraph.testing.js';
import { until, untilEqual } from '../support/until.js';
import { describeInChromium } from './support/browser.js';
import { ChatPage, toPageUrl } from './support/chat.page.js';
import { Puppet } from './support/puppet.js';
import { Deeds, obedientAgent } from '../security/tainted-servers.js';

describeInChromium('conversations on the page', (chromium) => {
  const serve = chatServers();

  it('starts, switches and deletes conversations, and keeps the shown one in the address', async () => {
    const server = await serve({
      play: ({ message }, context) => sayOneByOne(context, createAnswer(context, [`You said ${message}.`])),
    });
    const chat = new ChatPage(await chromium.visit(toPageUrl(server)));
    const { page, threads } = chat;
    await chat.ask('apples');
    await chat.shows('You said apples.');
    await chat.stands('completed');
    const apples = chat.threadId;
    await untilEqual(() => chat.title.innerText(), 'apples');

    await page.getByRole('button', { name: 'New conversation' }).click();
    await page.getByRole('heading', { name: 'Ask, and watch it work.' }).waitFor();
    expect(chat.threadId).toBe('');
    await chat.ask('pears');
    await chat.shows('You said pears.');
    await chat.stands('completed');
    expect(chat.threadId).not.toBe(apples);
    // The dot of news goes once the list knows that the answer was seen.
    await until(async () => (await page.title()).startsWith('pears'));
    await threads.nth(1).waitFor();
    await untilEqual(() => threads.locator('.thread-title').allInnerTexts(), ['pears', 'apples']);

    await threads.getByRole('link', { name: 'apples' }).click();
    await chat.shows('You said apples.');
    expect(chat.threadId).toBe(apples);
    expect(await threads.locator('[aria-current=page]').innerText()).toMatch(/^apples/);
    await page.goBack();
    await chat.shows('You said pears.');
    await page.goForward();
    await chat.shows('You said apples.');

    const askToDelete = async () => {
      await threads.nth(1).hover();
      await page.getByRole('button', { name: 'More about “apples”' }).click();
      await page.getByRole('menuitem', { name: 'Delete' }).click();
    };
    await askToDelete();
    await page.getByRole('button', { name: 'Cancel' }).click();
    expect(await threads.count()).toBe(2);
    await askToDelete();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('heading', { name: 'Ask, and watch it work.' }).waitFor();
    await untilEqual(() => threads.locator('.thread-title').allInnerTexts(), ['pears']);
    expect((await server.call('GET', `/threads/${apples}`)).status).toBe(404);
  });

  it('keeps a run going while another conversation is shown, and marks it in the list', async () => {
    const puppet = new Puppet();
    const server = await serve({ play: puppet.play });
    const chat = new ChatPage(await chromium.visit(toPageUrl(server)));
    await chat.ask('slow');
    const run = await puppet.run();
    run.say('Still ');
    await chat.shows('Still');
    await chat.page.getByRole('button', { name: 'New conversation' }).click();
    await chat.threads.getByText('Answering.').waitFor({ state: 'attached' });
    run.say('here');
    await chat.threads.getByRole('link', { name: 'slow' }).click();
    await chat.shows('Still here');
    run.end();
    await chat.stands('completed');
  });

  it('renames, pins, archives and brings back conversations by keyboard, for other tabs too', async () => {
    const server = await serve();
    const chat = new ChatPage(await chromium.visit(toPageUrl(server)));
    const { page, threads } = chat;
    for (const message of ['apples', 'pears', 'plums']) {
      await server.finishedRun({ message });
    }
    await page.reload();
    const tab = await page.context().newPage();
    await tab.goto(toPageUrl(server));
    const titles = (at = page) => at.getByTestId('thread').locator('.thread-title').allInnerTexts();
    const choose = async (title: string, action: string) => {
      await page.getByRole('button', { name: `More about “${title}”` }).focus();
      await page.keyboard.press('Enter');
      await page.getByRole('menuitem', { name: action }).press('Enter');
    };
    await threads.nth(2).waitFor();
    await untilEqual(() => titles(), ['plums', 'pears', 'apples']);

    await choose('apples', 'Rename');
    await page.keyboard.type('Red apples');
    await page.keyboard.press('Enter');
    await threads.getByText('Red apples').waitFor();
    await choose('Red apples', 'Pin');
    await page.getByRole('list', { name: 'Pinned' }).getByText('Red apples').waitFor();
    await untilEqual(() => titles(), ['Red apples', 'plums', 'pears']);
    await choose('plums', 'Archive');
    await page.waitForFunction(() => document.querySelectorAll('.thread').length === 2);
    await untilEqual(() => titles(), ['Red apples', 'pears']);
    await tab.waitForFunction(() => document.querySelectorAll('.thread').length === 2);
    await untilEqual(() => titles(tab), ['Red apples', 'pears']);

    await page.getByRole('button', { name: 'Archived conversations' }).click();
    await threads.getByText('plums').waitFor();
    await untilEqual(() => titles(), ['plums']);
    await choose('plums', 'Bring back');
    await page.getByText('Archived conversations appear here.').waitFor();
    await page.getByRole('button', { name: 'Back to all conversations' }).click();
    await threads.getByText('plums').waitFor();
    await untilEqual(() => titles(), ['Red apples', 'plums', 'pears']);
  });

  it('shows the title that a model makes after the first answer', async () => {
    const model = new ScriptedModel(([first]) => ({
      chunks: [/Write a title/.test(first?.text ?? '') ? 'Height of the tower' : 'It is tall.'],
    }));
    const server = await serve({
      agents: (kit) => [createChatAgent({ ...kit, name: 'chat', description: 'Chats.', model })],
      titles: 'model',
    });
    const chat = new ChatPage(await chromium.visit(toPageUrl(server)));
    await chat.ask('How tall is it?');
    await chat.shows('It is tall.');
    await chat.threads.getByText('Height of the tower').waitFor();
    await chat.page.waitForFunction(
      () => document.querySelector('.topbar-title')?.textContent === 'Height of the tower',
    );
  });

  it('loads older conversations as the list is scrolled', async () => {
    const server = await serve();
    for (let index = 0; index < 45; index++) await server.finishedRun({ message: `number ${index}` });
    const page = await chromium.visit(toPageUrl(server));
    const frame = page.locator('.threads-frame');
    await page.getByText('number 44', { exact: true }).waitFor();
    // Again and again, because what a page has loaded is drawn a moment later.
    await until(async () => {
      await frame.evaluate((element) => (element.scrollTop = element.scrollHeight));
      return (await page.getByText('number 0', { exact: true }).count()) > 0;
    });
    await untilEqual(() => page.getByTestId('thread').count(), 45);
  });

  it('counts the conversations that wait for a decision, also in the title, and marks new answers', async () => {
    const server = await serve(obedientAgent(new Deeds()));
    const chat = new ChatPage(await chromium.visit(toPageUrl(server)));
    const { page } = chat;
    await chat.ask('read send');
    await chat.stands('awaiting-input');
    await page.getByRole('button', { name: 'New conversation' }).click();
    const needed = page.getByRole('list', { name: 'Needs you' });
    await needed.getByText('read send').waitFor();
    await page.waitForFunction(() => document.title.startsWith('(1) '));
    const { runId } = await server.startRun({ message: 'read' });
    await (await server.watch(runId)).closed();
    await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
    await chat.threads.getByText('New answer.').waitFor({ state: 'attached' });

    await needed.getByRole('link').click();
    await chat.answer.getByRole('button', { name: 'Approve', exact: true }).click();
    await chat.stands('completed');
    await needed.waitFor({ state: 'detached' });
    await page.waitForFunction(() => document.title.startsWith('● '));
    await chat.threads.filter({ hasText: 'New answer.' }).getByRole('link').click();
    await page.waitForFunction(() => document.title.startsWith('read'));
  });

  it('says that a conversation does not exist when the address names an unknown one', async () => {
    const server = await serve();
    const page = await chromium.visit(`${toPageUrl(server)}?thread=nowhere`, { mayFail: true });
    await page.getByText("This conversation doesn't exist, or you don't have access.").waitFor();
  });
});
