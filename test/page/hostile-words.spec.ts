import { expect, it } from '@jest/globals';
import { chatServers } from '../support/chat.server.js';
import { describeInChromium } from './support/browser.js';
import { ChatPage, toPageUrl } from './support/chat.page.js';
import { Puppet } from './support/puppet.js';

const SCRIPT = '<script>alert(1)</script>';
const IMAGE = '<img src="x" onerror="alert(1)">';
const MARKDOWN = [
  SCRIPT,
  IMAGE,
  '<svg onload="alert(1)"><a xlink:href="javascript:alert(1)">svg</a></svg>',
  '<iframe srcdoc="<script>alert(1)</script>"></iframe>',
  '[link](javascript:alert(1)) [data](data:text/html,<script>alert(1)</script>) [vb](vbscript:alert(1))',
  '[tab](java&#9;script:alert(1)) <javascript:alert(1)> [other](//elsewhere.example/) [good](https://example.com/)',
  '![pixel](https://example.com/pixel.png?secret)',
  '<form action="https://example.com"><input name="a"></form>',
  '<p id="announcer" style="position:fixed;inset:0">over all</p>',
  '```html\n<script>alert(1)</script>\n```',
].join('\n\n');

describeInChromium('hostile text on the page', (chromium) => {
  const serve = chatServers();

  it('shows hostile text of a person, a model or a tool without executing it', async () => {
    const puppet = new Puppet();
    const server = await serve({ play: puppet.play });
    const page = await chromium.visit(toPageUrl(server));
    const chat = new ChatPage(page);
    const dialogs: string[] = [];
    page.on('dialog', (dialog) => {
      dialogs.push(dialog.message());
      void dialog.dismiss();
    });
    const elsewhere: string[] = [];
    page.on('request', (request) => {
      if (!request.url().startsWith(toPageUrl(server))) elsewhere.push(request.url());
    });

    await chat.ask(`${IMAGE} ${SCRIPT}`);
    const run = await puppet.run();
    run.startTool('a', `${IMAGE}…`, { query: SCRIPT });
    run.progress('a', SCRIPT, 0.5);
    run.endTool('a', { outcome: 'ok', durationMs: 1, output: { html: IMAGE } });
    // Letter by letter at first, as a stream may cut what it says anywhere.
    for (const letter of MARKDOWN.slice(0, 80)) run.say(letter);
    run.say(MARKDOWN.slice(80));
    run.end();
    await chat.stands('completed');
    await page.getByRole('button', { name: /^Details/ }).click();
    await chat.tools.getByText('onerror').last().waitFor();

    for (const reloaded of [false, true]) {
      if (reloaded) await page.reload();
      await page.getByRole('link', { name: 'good' }).waitFor();
      await page.locator('.threads').getByText(IMAGE).waitFor();
      const made = await page.evaluate(() => ({
        elements: document.querySelectorAll(
          '.messages :is(script, img, iframe, svg:not(.icon), form, object, style)',
        ).length,
        addresses: [...document.querySelectorAll('.messages a')].map((link) => link.getAttribute('href')),
        handlers: [...document.querySelectorAll('.messages *')].filter((element) =>
          element
            .getAttributeNames()
            .some((name) => name.startsWith('on') || name === 'style' || name === 'srcdoc'),
        ).length,
        announcers: document.querySelectorAll('#announcer').length,
      }));
      expect(made).toEqual({
        elements: 0,
        addresses: expect.not.arrayContaining([
          expect.stringMatching(/^(?!https:\/\/example\.com|runs\/[\w-]+$)./),
        ]),
        handlers: 0,
        announcers: 1,
      });
    }
    expect(await chat.title.innerText()).toBe(`${IMAGE} ${SCRIPT}`);
    expect({ dialogs, elsewhere }).toEqual({ dialogs: [], elsewhere: [] });
  });
});
