import { expect, it } from '@jest/globals';
import { chatServers } from '../support/chat.server.js';
import { describeInChromium } from './support/browser.js';
import { ChatPage, toPageUrl } from './support/chat.page.js';
import { Puppet } from './support/puppet.js';

const TODOS = [
  { content: 'Pack', status: 'in_progress' },
  { content: 'Leave', status: 'pending' },
];

describeInChromium('state on the page', (chromium) => {
  const serve = chatServers();

  async function open() {
    const puppet = new Puppet();
    const server = await serve({ play: puppet.play });
    return { puppet, chat: new ChatPage(await chromium.visit(toPageUrl(server))) };
  }

  it('shows todos with their states and files with their content on demand, and follows their changes', async () => {
    const { puppet, chat } = await open();
    await chat.ask('Plan it');
    const run = await puppet.run();
    const panel = chat.answer.getByRole('region', { name: 'Plan and files' });
    expect(await panel.count()).toBe(0);
    const files = { '/note.md': { content: ['Hello', 'world'] }, '/<b>.txt': 'plain' };
    run.changeState({ op: 'replace', path: '', value: { todos: TODOS, files } });
    await panel.waitFor();
    const todos = chat.answer.getByTestId('todo');
    await panel.getByText('0 of 2 done').waitFor();
    expect(await todos.allTextContents()).toEqual(['…in progress: Pack', '○pending: Leave']);

    await panel.getByText('Files').click();
    const file = chat.answer.getByTestId('file').first();
    expect(await file.locator('pre').textContent()).toBe('');
    await file.getByText('/note.md').click();
    await panel.getByText('Hello').waitFor();
    expect(await file.locator('pre').textContent()).toBe('Hello\nworld');
    expect(await chat.answer.getByTestId('file').allTextContents()).toEqual([
      '/note.mdHello\nworld',
      '/<b>.txt',
    ]);

    run.changeState(
      { op: 'replace', path: '/todos/0/status', value: 'completed' },
      { op: 'add', path: '/files/~1note.md/content/2', value: 'again' },
      { op: 'remove', path: '/files/~1<b>.txt' },
    );
    await panel.getByText('1 of 2 done').waitFor();
    expect(await todos.first().textContent()).toBe('✓completed: Pack');
    // What is open stays open.
    expect(await chat.answer.getByTestId('file').allTextContents()).toEqual(['/note.mdHello\nworld\nagain']);
    run.end();
    await chat.stands('completed');

    await chat.page.reload();
    await panel.getByText('1 of 2 done').waitFor();
  });

  it('shows nothing of state that has neither todos nor files in their forms', async () => {
    const { puppet, chat } = await open();
    await chat.ask('Plan it');
    const run = await puppet.run();
    run.changeState({ op: 'replace', path: '', value: { todos: 'none', files: [], other: { a: 1 } } });
    run.say('Done.');
    run.end();
    await chat.stands('completed');
    expect(await chat.answer.getByTestId('state').isVisible()).toBe(false);
  });
});
