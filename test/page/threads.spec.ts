import { expect, it } from '@jest/globals';
import { chatServers } from '../support/chat.server.js';
import { createAnswer } from '../../src/testing/scripted.agent.js';
import { sayOneByOne } from '../support/plays.js';
import { describeInChromium } from './support/browser.js';
import { ChatPage, toPageUrl } from './support/chat.page.js';
import { Puppet } from './support/puppet.js';

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
    expect(await chat.title.innerText()).toBe('apples');

    await page.getByRole('button', { name: 'New conversation' }).click();
    await page.getByRole('heading', { name: 'Ask, and watch it work.' }).waitFor();
    expect(chat.threadId).toBe('');
    await chat.ask('pears');
    await chat.shows('You said pears.');
    await chat.stands('completed');
    expect(chat.threadId).not.toBe(apples);
    expect(await page.title()).toMatch(/^pears/);
    await threads.nth(1).waitFor();
    expect(await threads.locator('.thread-title').allInnerTexts()).toEqual(['pears', 'apples']);

    await threads.getByRole('link', { name: 'apples' }).click();
    await chat.shows('You said apples.');
    expect(chat.threadId).toBe(apples);
    expect(await threads.locator('[aria-current=page]').innerText()).toMatch(/^apples/);
    await page.goBack();
    await chat.shows('You said pears.');
    await page.goForward();
    await chat.shows('You said apples.');

    await threads.nth(1).hover();
    await page.getByRole('button', { name: 'Delete “apples”' }).click();
    await page.getByRole('button', { name: 'Cancel' }).click();
    expect(await threads.count()).toBe(2);
    await page.getByRole('button', { name: 'Delete “apples”' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('heading', { name: 'Ask, and watch it work.' }).waitFor();
    expect(await threads.locator('.thread-title').allInnerTexts()).toEqual(['pears']);
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

  it('says that a conversation does not exist when the address names an unknown one', async () => {
    const server = await serve();
    const page = await chromium.visit(`${toPageUrl(server)}?thread=nowhere`, { mayFail: true });
    await page.getByText("This conversation doesn't exist, or you don't have access.").waitFor();
  });
});
