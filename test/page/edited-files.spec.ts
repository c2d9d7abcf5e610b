import { expect, it } from '@jest/globals';
import { createAnswer, ScriptedAgent } from '../../src/testing/scripted.agent.js';
import { splitText } from '../../src/events/message-order.js';
import { chatServers, type ChatServer } from '../support/chat.server.js';
import { until } from '../support/until.js';
import { findViolations, LETS_AXE_IN } from './support/accessibility.js';
import { describeInChromium } from './support/browser.js';
import { ChatPage, toPageUrl } from './support/chat.page.js';

const PNG =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const toFile = (name: string) => ({ name, mimeType: 'image/png', buffer: Buffer.from(PNG, 'base64') });

/** Answers with the words and the names of the files, in their order. */
const reader = () =>
  new ScriptedAgent(
    ({ message, given }, context) => {
      const parts = splitText(message, given?.files).map((piece) =>
        'text' in piece ? piece.text : `[${piece.file.name}]`,
      );
      for (const event of createAnswer(context, [parts.join(' ')])) void context.emit(event);
    },
    { name: 'reader', accepts: ['image/*'] },
  );

describeInChromium('files of a message that is edited', (chromium) => {
  const start = chatServers();
  const serve = () => start({ agents: () => [reader()] });

  async function open(server: ChatServer, message: readonly object[]) {
    const { runId } = await server.finishedRun({ message });
    const { body } = await server.call('GET', `/runs/${runId}`);
    const address = `${toPageUrl(server)}?thread=${String(body['threadId'])}`;
    const page = await chromium.visit(address, { ...LETS_AXE_IN, mayFail: true });
    const chat = new ChatPage(page);
    await chat.stands('completed');
    const editor = page.getByRole('form', { name: 'Edit message' });
    const files = editor.getByTestId('attachment');
    const edit = async () => {
      await page.getByRole('button', { name: 'Edit this message' }).click();
      await editor.waitFor();
    };
    const names = () => files.locator('.attachment-name').allTextContents();
    const settled = () =>
      until(async () => (await files.count()) === (await editor.locator('[data-state=sent]').count()));
    return { page, chat, editor, edit, names, settled };
  }
  const picture = (name: string) => ({ type: 'file', data: PNG, name });
  const say = (text: string) => ({ type: 'text', text });

  it('are shown, and can be removed, picked, pasted and dropped', async () => {
    const server = await serve();
    const { page, chat, editor, edit, names, settled } = await open(server, [
      picture('one.png'),
      picture('two.png'),
      say('Look'),
    ]);
    await edit();
    expect(await names()).toEqual(['one.png', 'two.png']);
    expect(await editor.locator('img').count()).toBe(2);
    expect(await findViolations(page)).toEqual([]);
    await editor.getByRole('button', { name: 'Remove one.png' }).press('Enter');
    expect(await editor.evaluate((form) => form.contains(document.activeElement))).toBe(true);
    await editor.getByTestId('file-input').setInputFiles([toFile('picked.png')]);
    for (const kind of ['paste', 'drop'])
      await editor.getByLabel('Edited message').evaluate(
        (field, [kind, bytes]) => {
          const data = new DataTransfer();
          data.items.add(new File([Uint8Array.from(bytes)], `${kind}.png`, { type: 'image/png' }));
          const init = { bubbles: true, cancelable: true };
          field.dispatchEvent(
            kind === 'paste'
              ? new ClipboardEvent('paste', { ...init, clipboardData: data })
              : new DragEvent('drop', { ...init, dataTransfer: data }),
          );
        },
        [kind, [...Buffer.from(PNG, 'base64')]] as const,
      );
    await settled();
    expect(await names()).toEqual(['two.png', 'picked.png', 'paste.png', 'drop.png']);
    // The composer has a message of its own.
    expect(await page.locator('.composer').getByTestId('attachment').count()).toBe(0);
    await editor.getByRole('button', { name: 'Send' }).click();
    await chat.shows('[two.png] [picked.png] [paste.png] [drop.png] Look');
    await chat.stands('completed');
    await page.getByRole('button', { name: 'Previous version' }).click();
    await chat.shows('[one.png] [two.png] Look');
  });

  it('may all go, and may be all that is left', async () => {
    const server = await serve();
    const { chat, editor, edit, names } = await open(server, [picture('one.png'), say('Look')]);
    await edit();
    await editor.getByLabel('Edited message').fill('');
    await editor.getByRole('button', { name: 'Send' }).click();
    await chat.shows('[one.png]');
    await chat.stands('completed');
    await edit();
    await editor.getByLabel('Edited message').fill('Words');
    await editor.getByRole('button', { name: 'Remove one.png' }).click();
    expect(await names()).toEqual([]);
    await editor.getByLabel('Edited message').press('Enter');
    await chat.shows('Words');
    await chat.stands('completed');
  });

  it('stay between the words where they stood', async () => {
    const server = await serve();
    const { chat, editor, edit } = await open(server, [
      say('Compare this'),
      picture('one.png'),
      say('with this'),
      picture('two.png'),
    ]);
    await edit();
    const field = editor.getByLabel('Edited message');
    await field.fill((await field.inputValue()).replace('Compare this', 'Please compare this one'));
    await editor.getByRole('button', { name: 'Send' }).click();
    await chat.shows('Please compare this one [one.png] with this [two.png]');
    await chat.stands('completed');
  });

  it('are kept over a reload with the words of the edit, until it is cancelled', async () => {
    const server = await serve();
    const { page, chat, editor, edit, names, settled } = await open(server, [
      picture('one.png'),
      say('Look'),
    ]);
    await edit();
    await editor.getByRole('button', { name: 'Remove one.png' }).click();
    await editor.getByTestId('file-input').setInputFiles([toFile('new.png')]);
    await settled();
    await page.reload();
    await chat.stands('completed');
    await edit();
    expect(await names()).toEqual(['new.png']);
    await editor.getByRole('button', { name: 'Cancel' }).click();
    await edit();
    expect(await names()).toEqual(['one.png']);
    // Nothing has changed, so nothing is asked.
    await editor.getByRole('button', { name: 'Send' }).click();
    await editor.waitFor({ state: 'detached' });
    expect((await server.call('GET', '/runs')).body['items']).toHaveLength(1);
    expect(await page.evaluate(() => Object.keys(localStorage).filter((key) => key.includes('/')))).toEqual(
      [],
    );
  });

  it('come back into the editor when the edit was refused', async () => {
    const server = await serve();
    const { page, chat, editor, edit, names, settled } = await open(server, [
      picture('one.png'),
      say('Look'),
    ]);
    await edit();
    await editor.getByTestId('file-input').setInputFiles([toFile('new.png')]);
    await settled();
    const refusal = { code: 'REQUEST_TOO_LARGE', detail: 'It is too long.' };
    await page.route('**/api/chat/runs', (route) => route.fulfill({ status: 413, json: refusal }), {
      times: 1,
    });
    await editor.getByRole('button', { name: 'Send' }).click();
    await chat.answer.getByRole('button', { name: 'Edit message' }).click();
    await editor.waitFor();
    expect(await names()).toEqual(['one.png', 'new.png']);
    await editor.getByRole('button', { name: 'Send' }).click();
    await chat.shows('[one.png] [new.png] Look');
    await chat.stands('completed');
  });
});
