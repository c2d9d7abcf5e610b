import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import type { ElementHandle } from 'puppeteer-core';
import { createAnswer, ScriptedAgent } from '../../src/testing/scripted.agent.js';
import { Deeds, obedientAgent } from '../security/tainted-servers.js';
import { chatServers } from '../support/chat.server.js';
import { sayOneByOne } from '../support/plays.js';
import { toPageUrl } from './support/chat.page.js';
import { describeInFirefox } from './support/firefox.js';
import { Puppet } from './support/puppet.js';

const KEY = 'a-key-of-some-length';

describeInFirefox('the page in Firefox', (firefox) => {
  const serve = chatServers();

  async function open() {
    const puppet = new Puppet();
    const server = await serve({ play: puppet.play });
    return { puppet, server, chat: await firefox.visit(toPageUrl(server)) };
  }

  /** Answers each message with its own words. */
  const echo = () =>
    serve({
      play: ({ message }, context) =>
        sayOneByOne(context, createAnswer(context, ['You said: ', `${message}.`])),
    });

  it('shows words, tools, code and formulas as they come, and continues after a reload in the middle', async () => {
    const { puppet, chat } = await open();
    await chat.ask('Talk');
    const run = await puppet.run();
    expect(run.message).toBe('Talk');
    run.say('One ');
    await chat.shows('One');
    run.startTool('a', 'Looking…');
    await chat.page.reload();
    await chat.shows('One');
    run.endTool('a', { outcome: 'ok', durationMs: 3 });
    await chat.page.waitForSelector('[data-testid=tool][data-outcome=ok]');
    run.say('two.\n\n```js\nconst a = 1;\n```\n\nand $x^2$');
    run.end();
    await chat.stands('completed');
    await chat.page.waitForSelector('.hljs-keyword');
    await chat.page.waitForSelector('math msup');
  });

  it('stops an answer by Escape, and starts anew by Alt+N', async () => {
    const { puppet, chat } = await open();
    await chat.ask('Talk');
    const run = await puppet.run();
    run.say('Half ');
    await chat.shows('Half');
    await chat.page.keyboard.press('Escape');
    await chat.stands('cancelled');
    await chat.page.keyboard.down('Alt');
    await chat.page.keyboard.press('n');
    await chat.page.keyboard.up('Alt');
    await chat.sees('Ask, and watch it work.');
    await chat.page.waitForFunction(() => document.activeElement?.id === 'question');
    expect(await chat.page.evaluate(() => location.search)).toBe('');
  });

  it('follows the end while words come, and lets a reader go who scrolls up', async () => {
    const { puppet, chat } = await open();
    await chat.ask('Talk');
    const run = await puppet.run();
    const lines = (from: number) =>
      Array.from({ length: 40 }, (_, index) => `Line ${from + index}`).join('\n\n');
    run.say(lines(0));
    const leftBelow = () =>
      chat.page.$eval(
        '.scroller',
        ({ scrollHeight, scrollTop, clientHeight }) => scrollHeight - scrollTop - clientHeight,
      );
    await chat.sees('Line 39');
    await chat.page.waitForFunction(() => {
      const { scrollHeight, scrollTop, clientHeight } = document.querySelector('.scroller')!;
      return scrollHeight - scrollTop - clientHeight < 2;
    });
    await chat.page.mouse.move(700, 400);
    await chat.page.mouse.wheel({ deltaY: -200 });
    await chat.page.waitForSelector('[data-testid=latest]:not([hidden])');
    run.say(`\n\n${lines(40)}`);
    await chat.sees('Line 79');
    expect(await leftBelow()).toBeGreaterThan(100);
    run.end();
    await chat.stands('completed');
  });

  it('keeps a reason that is half written over a reload', async () => {
    const server = await serve(obedientAgent(new Deeds()));
    const chat = await firefox.visit(toPageUrl(server));
    await chat.ask('read send');
    await chat.stands('awaiting-input');
    await chat.clickButton('Deny…');
    await chat.type('[aria-label="Why not"]', 'Half a rea');
    await chat.page.reload();
    await chat.page.waitForFunction(
      () => document.querySelector<HTMLInputElement>('[aria-label="Why not"]')?.value === 'Half a rea',
    );
    await chat.clickButton('Deny');
    await chat.sees('“Half a rea”');
    await chat.stands('completed');
  });

  it('goes on when a person has approved a call', async () => {
    const server = await serve(obedientAgent(new Deeds()));
    const chat = await firefox.visit(toPageUrl(server));
    await chat.ask('read send');
    await chat.stands('awaiting-input');
    await chat.clickButton('Approve');
    await chat.sees('Approved by');
    await chat.stands('completed');
  });

  it('edits a message in its place, keeps both versions, and finds the conversation by its words', async () => {
    const server = await echo();
    const chat = await firefox.visit(toPageUrl(server));
    await chat.ask('pears');
    await chat.shows('You said: pears.');
    await chat.stands('completed');
    await chat.clickButton('Edit this message');
    await chat.type('textarea[aria-label="Edited message"]', 'plums');
    await chat.page.keyboard.press('Enter');
    await chat.shows('You said: plums.');
    await chat.stands('completed');
    await chat.clickButton('Previous version');
    await chat.shows('You said: pears.');
    expect(await chat.focused()).toBe('Previous version');

    await chat.clickButton('New conversation');
    await chat.paste('input[type=search]', 'plums');
    await chat.sees('1 conversation found.');
    await chat.page.keyboard.press('ArrowDown');
    await chat.page.keyboard.press('Enter');
    await chat.shows('You said: plums.');
  });

  it('attaches files', async () => {
    const reader = new ScriptedAgent(
      ({ given }, context) => {
        const names = (given?.files ?? []).map(({ name, bytes }) => `${name} ${bytes}`);
        for (const event of createAnswer(context, [`Read ${names.join(', ')}.`])) void context.emit(event);
      },
      { name: 'reader', accepts: ['text/*'] },
    );
    const server = await serve({ agents: () => [reader] });
    const chat = await firefox.visit(toPageUrl(server));
    const note = join(await mkdtemp(join(tmpdir(), 'page-')), 'note.txt');
    await writeFile(note, 'Buy milk.');
    const input = (await chat.page.waitForSelector(
      '[data-testid=file-input]',
    )) as ElementHandle<HTMLInputElement>;
    await input.uploadFile(note);
    await chat.page.waitForSelector('[data-testid=attachment][data-state=sent]');
    await chat.ask('Look');
    await chat.shows('Read note.txt 9.');
  });

  it('signs in and out', async () => {
    const server = await serve({
      play: (_input, context) => sayOneByOne(context, createAnswer(context, ['Ann'])),
      auth: { kind: 'credentials', apiKeys: [{ key: KEY, userId: 'ann', tenant: 'acme' }] },
    });
    const chat = await firefox.visit(toPageUrl(server));
    await chat.type('[data-testid=token]', KEY);
    await chat.page.keyboard.press('Enter');
    // Until it knows who is there, the page hides what is typed.
    await chat.page.waitForSelector('[aria-label="Sign out"]', { visible: true });
    await chat.page.waitForSelector('dialog', { hidden: true });
    await chat.ask('Who am I?');
    await chat.shows('Ann');
    await chat.stands('completed');
    await chat.clickButton('Sign out');
    await chat.page.waitForSelector('dialog [data-testid=token]');
    // The page before may ask for a sign-in as well, until it is left.
    await chat.page.waitForFunction(() => !document.querySelector('.text'));
  });
});
