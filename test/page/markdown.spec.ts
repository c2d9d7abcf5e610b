import { expect, it } from '@jest/globals';
import { chatServers } from '../support/chat.server.js';
import { describeInChromium } from './support/browser.js';
import { ChatPage, toPageUrl } from './support/chat.page.js';
import { Puppet } from './support/puppet.js';

const MARKDOWN = `# Findings

3. third
4. fourth

- [x] done
- [ ] open

| Name | Area |
|:--|--:|
| A | 1 |

\`\`\`js
const a = '**';
\`\`\`

See [the docs](https://example.com/docs).`;

describeInChromium('Markdown on the page', (chromium) => {
  const serve = chatServers();

  it('keeps the start number of lists, checked boxes, right-aligned cells and safe links', async () => {
    const puppet = new Puppet();
    const server = await serve({ play: puppet.play });
    const chat = new ChatPage(await chromium.visit(toPageUrl(server)));
    await chat.ask('Show me');
    const run = await puppet.run();
    for (const line of MARKDOWN.split(/(?<=\n)/)) run.say(line);
    run.end();
    await chat.stands('completed');

    const { answer } = chat;
    await answer.getByRole('heading', { name: 'Findings' }).waitFor();
    expect(await answer.locator('ol').getAttribute('start')).toBe('3');
    expect(await answer.getByRole('checkbox').count()).toBe(2);
    expect(await answer.getByRole('checkbox').first().isChecked()).toBe(true);
    const cell = answer.getByRole('cell', { name: '1' });
    expect(await cell.evaluate((element) => getComputedStyle(element).textAlign)).toBe('right');
    // What is outside the viewport is not laid out, and has no inner text.
    expect((await answer.locator('pre').textContent())?.trimEnd()).toBe("const a = '**';");
    const link = answer.getByRole('link', { name: 'the docs' });
    expect(await link.getAttribute('rel')).toBe('noopener noreferrer');
  });

  it.each([
    ['brackets', '['.repeat(60_000)],
    ['lists in lists', '- '.repeat(10_000)],
    ['emphasis in emphasis in a table', `|a|\n|-|\n|${'*a **b '.repeat(200)}x${' b** a*'.repeat(200)}|`],
    ['lines that begin with a bracket', '[\n'.repeat(60_000)],
    ['many stretches that take long', `${'*_a '.repeat(1_000)}\n\n`.repeat(50)],
    ['an address without an end', `${'a.'.repeat(30_000)}@`],
  ])('shows %s as they are, and what comes after them', async (_, text) => {
    const puppet = new Puppet();
    const server = await serve({ play: puppet.play });
    const chat = new ChatPage(await chromium.visit(toPageUrl(server)));
    await chat.ask('Show me');
    const run = await puppet.run();
    run.say('**Before** it.\n\nOne more.\n\nAnd one more.\n\n');
    run.say(`${text}\n\n`);
    run.say('After it.');
    run.end();
    await chat.stands('completed');
    const { answer } = chat;
    await answer.getByText('After it.').waitFor();
    expect(await answer.locator('strong').first().innerText()).toBe('Before');
    const shown = await answer.innerText();
    expect(shown.length).toBeGreaterThanOrEqual(text.trim().length * 0.9);
  });
});
