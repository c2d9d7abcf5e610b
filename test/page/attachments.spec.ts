import { expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { createAnswer, ScriptedAgent } from '../../src/testing/scripted.agent.js';
import { chatServers, gate, type ChatServerOptions } from '../support/chat.server.js';
import { findViolations, LETS_AXE_IN } from './support/accessibility.js';
import { describeInChromium } from './support/browser.js';
import { ChatPage, toPageUrl } from './support/chat.page.js';

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
const IMAGE = { name: 'dot.png', mimeType: 'image/png', buffer: PNG };
const NOTE = { name: 'note.txt', mimeType: 'text/plain', buffer: Buffer.from('Buy milk.') };
const PROGRAM = { name: 'a.exe', mimeType: 'application/octet-stream', buffer: Buffer.from([77, 90, 0, 1]) };

/** Says which files its message has. */
const reader = (accepts: readonly string[] = ['image/*', 'text/*']) =>
  new ScriptedAgent(
    ({ message, given }, context) => {
      const names = (given?.files ?? []).map(({ name, bytes }) => `${name} ${bytes}`);
      for (const event of createAnswer(context, [`Read ${names.join(', ')}. ${message}`]))
        void context.emit(event);
    },
    { name: 'reader', accepts },
  );

/** Pastes or drops files, as a browser does. */
function give(page: Page, type: 'paste' | 'drop', name: string) {
  return page.evaluate(
    ([kind, file, bytes]) => {
      const data = new DataTransfer();
      data.items.add(new File([Uint8Array.from(bytes)], file, { type: 'image/png' }));
      const field = document.querySelector('[data-testid=composer]')!;
      const event =
        kind === 'paste'
          ? new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true })
          : new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true });
      field.dispatchEvent(event);
    },
    [type, name, [...PNG]] as const,
  );
}

describeInChromium('files of a message on the page', (chromium) => {
  const start = chatServers();
  const serve = (options: ChatServerOptions = {}) => start({ agents: () => [reader()], ...options });

  it('are picked, pasted and dropped, can be removed, and are shown in the question', async () => {
    const server = await serve();
    const page = await chromium.visit(toPageUrl(server), LETS_AXE_IN);
    const chat = new ChatPage(page);
    const files = page.getByTestId('attachment');
    // Before it is known which files the agent takes, nothing can be pasted.
    await page.getByTestId('attach').waitFor();
    await page.getByTestId('file-input').setInputFiles([IMAGE, NOTE]);
    await page.getByText('9 B').waitFor();
    await give(page, 'paste', 'pasted.png');
    await give(page, 'drop', 'dropped.png');
    await page.locator('[data-testid=attachment][data-state=sent]').nth(3).waitFor();
    expect(await files.locator('.attachment-name').allTextContents()).toEqual([
      'dot.png',
      'note.txt',
      'pasted.png',
      'dropped.png',
    ]);
    expect(await findViolations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Remove pasted.png' }).click();
    await page.getByRole('button', { name: 'Remove dropped.png' }).press('Enter');
    expect(await files.count()).toBe(2);

    await chat.ask('Look');
    await chat.stands('completed');
    expect(await chat.answer.textContent()).toContain('Read dot.png 70, note.txt 9. Look');
    expect(await files.count()).toBe(0);
    const question = page.locator('[data-role=user]');
    const image = question.locator('img');
    await image.waitFor();
    expect(await image.getAttribute('alt')).toBe('dot.png');
    expect(await question.getByRole('link', { name: 'note.txt' }).count()).toBe(1);
    expect(await findViolations(page)).toEqual([]);
    await page.reload();
    await question.locator('img').waitFor();
  });

  it('are shown between the words where they were sent', async () => {
    const server = await serve();
    const picture = { type: 'file', data: PNG.toString('base64'), name: 'dot.png' };
    const say = (text: string) => ({ type: 'text', text });
    const message = [say('Compare this'), picture, say('with this'), picture];
    const { runId } = await server.finishedRun({ message });
    const { body } = await server.call('GET', `/runs/${runId}`);
    const page = await chromium.visit(`${toPageUrl(server)}?thread=${String(body['threadId'])}`);
    const bubble = page.locator('[data-role=user] .bubble');
    await bubble.locator('img').nth(1).waitFor();
    const shown = await bubble.evaluate(({ children }) =>
      [...children].map((part) => (part.querySelector('img') ? 'image' : part.textContent)),
    );
    expect(shown).toEqual(['Compare this', 'image', 'with this', 'image']);
  });

  it('may be all that is said, and are kept when the question is edited and the answer made again', async () => {
    const server = await serve();
    const page = await chromium.visit(toPageUrl(server));
    const chat = new ChatPage(page);
    await page.getByTestId('file-input').setInputFiles(IMAGE);
    await page.locator('[data-testid=attachment][data-state=sent]').waitFor();
    await page.getByTestId('send').click();
    await chat.stands('completed');
    await page.locator('.topbar-title', { hasText: 'dot.png' }).waitFor();
    await page.getByRole('button', { name: 'Edit this message' }).click();
    await page.keyboard.type('In words');
    await page.keyboard.press('Enter');
    await chat.shows('Read dot.png 70. In words');
    await page.locator('[data-role=user] img').waitFor();
  });

  it('are part of the draft, also after a reload', async () => {
    const server = await serve();
    const page = await chromium.visit(toPageUrl(server));
    const chat = new ChatPage(page);
    await page.getByTestId('file-input').setInputFiles(NOTE);
    await page.locator('[data-testid=attachment][data-state=sent]').waitFor();
    await page.reload();
    await page.locator('[data-testid=attachment][data-state=sent]', { hasText: 'note.txt' }).waitFor();
    await chat.ask('Still there?');
    await chat.shows('Read note.txt 9. Still there?');
    await page.reload();
    await chat.shows('Read note.txt 9. Still there?');
    expect(await page.getByTestId('attachment').count()).toBe(0);
  });

  it('that the server refuses say why, and hold the message back until they are removed', async () => {
    const server = await serve();
    const page = await chromium.visit(toPageUrl(server), { mayFail: true });
    await page.getByTestId('composer').fill('Look');
    await page.getByTestId('file-input').setInputFiles([PROGRAM, NOTE]);
    const failed = page.locator('[data-testid=attachment][data-state=failed]');
    await failed.waitFor();
    expect(await failed.textContent()).toContain(
      'Files of the type application/octet-stream are not taken here.',
    );
    await page.locator('[data-testid=attachment][data-state=sent]').waitFor();
    expect(await page.getByTestId('send').isDisabled()).toBe(true);
    await page.getByRole('button', { name: 'Remove a.exe' }).click();
    expect(await page.getByTestId('send').isDisabled()).toBe(false);
  });

  it('show their progress, and wait in the queue with their message', async () => {
    const held = gate();
    const waiting = new ScriptedAgent(
      async ({ message, given }, context) => {
        if (message === 'First') await held.opened;
        for (const event of createAnswer(context, [`${given?.files?.length ?? 0} for ${message}`]))
          void context.emit(event);
      },
      { name: 'reader', accepts: ['text/*'] },
    );
    const server = await serve({ agents: () => [waiting] });
    const page = await chromium.visit(toPageUrl(server));
    const chat = new ChatPage(page);
    await chat.ask('First');
    const upload = gate();
    await page.route('**/files?*', async (route) => {
      await upload.opened;
      await route.continue();
    });
    await page.getByTestId('file-input').setInputFiles(NOTE);
    await page.getByRole('progressbar', { name: 'Sending note.txt' }).waitFor();
    upload.open();
    await page.locator('[data-testid=attachment][data-state=sent]').waitFor();
    await page.getByTestId('composer').fill('Second');
    await page.keyboard.press('Enter');
    await page.getByTestId('queued').filter({ hasText: 'Second · note.txt' }).waitFor();
    held.open();
    await chat.answer.getByText('1 for Second').waitFor();
  });

  it('are not offered for an agent that takes none', async () => {
    const agent = Object.assign(reader([]), { suggestions: ['Ask for what you like.'] });
    const server = await serve({ agents: () => [agent] });
    const page = await chromium.visit(toPageUrl(server));
    await page.getByText('Ask for what you like.').waitFor();
    expect(await page.getByTestId('attach').isHidden()).toBe(true);
  });
});
