import { expect, it } from '@jest/globals';
import { SignJWT } from 'jose';
import { createAnswer, ScriptedAgent } from '../../src/testing/scripted.agent.js';
import { chatServers } from '../support/chat.server.js';
import { sayOneByOne } from '../support/plays.js';
import { findViolations, LETS_AXE_IN } from './support/accessibility.js';
import { describeInChromium, type VisitOptions } from './support/browser.js';
import { ChatPage, toPageUrl } from './support/chat.page.js';

const SECRET = 'a secret of at least thirty-two characters';
const SVG =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><path fill="#7a1fa2" d="M0 0h8v8H0z"/></svg>';
const BRAND = {
  name: 'Acme <b>Assistant</b>',
  logo: `data:image/svg+xml;base64,${Buffer.from(SVG).toString('base64')}`,
  accent: { light: '#7a1fa2', dark: '#d9a7f0' },
  greeting: 'How can <i>we</i> help?',
};

const LOOKS: Readonly<Record<string, VisitOptions>> = {
  'light, 360 px wide': { colorScheme: 'light', viewport: { width: 360, height: 740 } },
  'dark, 360 px wide': { colorScheme: 'dark', viewport: { width: 360, height: 740 } },
  'light, 1280 px wide': { colorScheme: 'light' },
  'dark, 1280 px wide': { colorScheme: 'dark' },
};

/** An agent that repeats what it is told. */
function createAgent(name: string, description: string, suggestions: readonly string[]) {
  const agent = new ScriptedAgent(
    ({ message }, context) => sayOneByOne(context, createAnswer(context, [`${name} heard ${message}.`])),
    { name },
  );
  return Object.assign(agent, { description, suggestions });
}

describeInChromium('the look of the page', (chromium) => {
  const serve = chatServers();

  async function start(options: VisitOptions = {}) {
    const server = await serve({
      brand: BRAND,
      auth: { kind: 'credentials', jwt: { secret: SECRET } },
      agents: () => [
        createAgent('support', 'Answers questions about orders.', [
          'Where is my order?',
          'Can I <b>return</b> it?',
        ]),
        createAgent('travel', 'Plans trips.', []),
      ],
    });
    const chat = new ChatPage(await chromium.visit(toPageUrl(server), { mayFail: true, ...options }));
    const token = await new SignJWT({ sub: 'u-17', name: 'Ada <i>Lovelace</i>' })
      .setProtectedHeader({ alg: 'HS256' })
      .setExpirationTime('1h')
      .sign(Buffer.from(SECRET));
    const { page } = chat;
    await page.getByLabel('Access token or API key').fill(token);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByTestId('agent').waitFor();
    return { server, chat, page };
  }

  it('shows the name, the logo and the greeting of an organization as they are, and keeps them for the next visit', async () => {
    const { page } = await start();
    await page.getByRole('heading', { name: BRAND.greeting }).waitFor();
    expect(await page.title()).toBe(BRAND.name);
    expect(await page.locator('.brand-name').innerText()).toBe(BRAND.name);
    expect(await page.locator('.brand img').getAttribute('src')).toBe(BRAND.logo);
    expect(await page.locator('link[rel=icon]').getAttribute('href')).toBe(BRAND.logo);
    await page.waitForFunction(
      () => document.querySelector<HTMLImageElement>('.brand img')!.naturalWidth > 0,
    );
    expect(await page.locator('.app :is(b, i)').count()).toBe(0);
    // Before the server has said anything.
    await page.route('**/api/**', () => undefined);
    await page.reload();
    await page.getByRole('heading', { name: BRAND.greeting }).waitFor();
  });

  it('shows who is signed in, and offers to sign out', async () => {
    const { page } = await start();
    const who = page.getByTestId('who');
    expect(await who.innerText()).toBe('Ada <i>Lovelace</i>');
    await who.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('dialog', { name: 'Sign in' }).waitFor();
    expect(await who.isVisible()).toBe(false);
  });

  it('describes the chosen agent, offers its questions, and keeps the agent of each conversation', async () => {
    const { chat, page } = await start();
    const agent = page.getByTestId('agent');
    const description = page.getByTestId('agent-description');
    expect(await description.innerText()).toBe('Answers questions about orders.');
    expect(await page.getByTestId('example').allInnerTexts()).toEqual([
      'Where is my order?',
      'Can I <b>return</b> it?',
    ]);
    await page.getByTestId('example').first().click();
    await chat.shows('support heard Where is my order?.');
    await chat.stands('completed');

    await page
      .getByTestId('new-thread')
      .or(page.getByRole('button', { name: 'New conversation' }))
      .first()
      .click();
    await agent.selectOption('travel');
    await description.filter({ hasText: 'Plans trips.' }).waitFor();
    expect(await page.getByTestId('example').count()).toBe(0);
    await chat.ask('Vienna');
    await chat.shows('travel heard Vienna.');
    await chat.stands('completed');
    await chat.threads.getByRole('link', { name: 'Where is my order?' }).click();
    await chat.shows('support heard Where is my order?.');
    await page.waitForFunction(
      () => document.querySelector<HTMLSelectElement>('[data-testid=agent]')?.value === 'support',
    );
    await chat.threads.getByRole('link', { name: 'Vienna' }).click();
    await page.waitForFunction(
      () => document.querySelector<HTMLSelectElement>('[data-testid=agent]')?.value === 'travel',
    );
  });

  it.each(Object.keys(LOOKS))('is on the pages of runs, also before a sign-in: %s', async (look) => {
    const { server, chat, page: other } = await start();
    await chat.ask('Hello');
    await chat.stands('completed');
    const page = await chromium.visit(`${toPageUrl(server)}runs`, {
      ...LETS_AXE_IN,
      ...LOOKS[look],
      mayFail: true,
    });
    const brand = page.locator('.plain-bar .brand');
    await brand.filter({ hasText: BRAND.name }).waitFor();
    const dialog = page.getByRole('dialog', { name: 'Sign in' });
    await dialog.waitFor();
    await page.context().addCookies(await other.context().cookies());
    await page.evaluate(() => dispatchEvent(new Event('focus')));
    await dialog.waitFor({ state: 'detached' });
    const run = page.locator('tr[data-run] a').first();
    await run.waitFor();
    expect(await page.title()).toBe(`Your runs – ${BRAND.name}`);
    expect(await page.locator('link[rel=icon]').getAttribute('href')).toBe(BRAND.logo);
    const accent = look.startsWith('light') ? 'rgb(122, 31, 162)' : 'rgb(217, 167, 240)';
    expect(await run.evaluate((element) => getComputedStyle(element).color)).toBe(accent);
    expect(await findViolations(page)).toEqual([]);

    await run.click();
    await page.getByTestId('row').first().waitFor();
    expect(await page.title()).toMatch(`– ${BRAND.name}`);
    expect(await brand.innerText()).toBe(BRAND.name);
    await page.waitForFunction(
      () => document.querySelector<HTMLImageElement>('.brand img')!.naturalWidth > 0,
    );
    expect(await findViolations(page)).toEqual([]);
    await page.getByRole('link', { name: 'All runs' }).click();
    await run.waitFor();
    await brand.click();
    await page.getByRole('heading', { name: BRAND.greeting }).waitFor();
  });

  it.each(Object.keys(LOOKS))('can be read in the colours of an organization: %s', async (look) => {
    const { chat, page } = await start({ ...LETS_AXE_IN, ...LOOKS[look] });
    const accent = look.startsWith('light') ? 'rgb(122, 31, 162)' : 'rgb(217, 167, 240)';
    expect(await findViolations(page)).toEqual([]);
    await chat.ask('A [link](https://example.com)');
    await chat.stands('completed');
    const link = chat.answer.getByRole('link', { name: 'link' });
    expect(await link.evaluate((element) => getComputedStyle(element).color)).toBe(accent);
    expect(await findViolations(page)).toEqual([]);
  });
});
