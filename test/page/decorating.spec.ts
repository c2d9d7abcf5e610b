import { expect, it } from '@jest/globals';
import { chatServers } from '../support/chat.server.js';
import { untilEqual } from '../support/until.js';
import { findViolations, LETS_AXE_IN } from './support/accessibility.js';
import { describeInChromium, type VisitOptions } from './support/browser.js';
import { ChatPage, toPageUrl } from './support/chat.page.js';
import { Puppet } from './support/puppet.js';
import { settled } from './support/rest.js';
import { watchTasks } from './support/tasks.js';

/** Far below the seconds that such a task would take, and above what a slow machine makes of a short one. */
const LONGEST_TASK_MS = 500;
const CODE = 'def greet(name):\n    # Says hello.\n    return f"<b>{name}</b>" + str(42)\n';

describeInChromium('colours and formulas on the page', (chromium) => {
  const serve = chatServers();

  async function open(options?: VisitOptions) {
    const puppet = new Puppet();
    const server = await serve({ play: puppet.play });
    const chat = new ChatPage(await chromium.visit(toPageUrl(server), options));
    await chat.ask('Show');
    return { chat, page: chat.page, run: await puppet.run() };
  }

  it('colours code of a known language once it is complete, and copies it as it was written', async () => {
    const { chat, page, run } = await open({ permissions: ['clipboard-read', 'clipboard-write'] });
    run.say(`\`\`\`py\n${CODE}`);
    await chat.answer.getByText('str(42)').waitFor();
    expect(await chat.answer.locator('.hljs-keyword').count()).toBe(0);
    run.say('```\n\nOne.\n\nTwo.\n\nThree.');
    await chat.answer.locator('.hljs-keyword').first().waitFor();
    expect(await chat.answer.locator('.hljs-comment').allInnerTexts()).toEqual(['# Says hello.']);
    expect(await chat.answer.locator('pre').textContent()).toBe(CODE.trimEnd());
    await page.getByRole('button', { name: 'Copy code' }).click();
    await untilEqual(() => page.evaluate(() => navigator.clipboard.readText()), CODE.trimEnd());
    const [worker] = page.workers();
    expect(new URL(worker!.url()).pathname).toMatch(/^\/v\/[\w-]+\/assets\/view\/highlight\.worker\.js$/);
    run.end();
    await chat.stands('completed');
  });

  it('leaves code of an unknown language, long code and code without one as they are', async () => {
    const { chat, page, run } = await open();
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    const long = Array.from({ length: 2_000 }, (_, line) => `const value${line} = 1;`).join('\n');
    run.say(
      `\`\`\`klingon\nreturn 1;\n\`\`\`\n\n\`\`\`\nreturn 2;\n\`\`\`\n\n\`\`\`js\n${long}\n\`\`\`\n\nDone.`,
    );
    run.end();
    await chat.stands('completed');
    expect(await chat.answer.locator('pre').last().textContent()).toBe(long);
    expect(await chat.answer.locator('[class^=hljs]').count()).toBe(0);
    expect(asked.filter((url) => /highlight|temml|formulas/.test(url))).toEqual([]);
  });

  it('sets formulas, in sentences and on lines of their own, but neither prices nor what is none', async () => {
    const { chat, run } = await open();
    run.say(
      String.raw`Take \(a^2 + b_1\) and $x_1$, for $5 and $10, or $5 or 10$ in all, and \(\frac{1\) and $HOME/bin:$PATH.` +
        '\n\n$$\n\\sum_{i=1}^n i\n$$\n\nDone.',
    );
    run.end();
    await chat.stands('completed');
    await chat.answer.locator('math').nth(2).waitFor();
    expect(await chat.answer.locator('math').count()).toBe(3);
    expect(await chat.answer.locator('math[display=block] munderover').count()).toBe(1);
    const text = await chat.answer.locator('.text').innerText();
    expect(text).toContain('for $5 and $10, or $5 or 10$ in all, and \\(\\frac{1\\) and $HOME/bin:$PATH.');
  });

  it('lets nothing through that a formula or code brings', async () => {
    const { chat, page, run } = await open();
    run.say(
      String.raw`\(\href{javascript:alert(1)}{x}\) \(\text{<img src=x onerror=alert(1)>}\) \(\def\a{\a\a}\a\) \(\color{red}{y}\) \(z\)` +
        '\n\n```html\n<img src=x onerror=alert(1)><script>alert(2)</script>\n```\n\nDone.',
    );
    run.end();
    await chat.stands('completed');
    await chat.answer.locator('.hljs-tag').first().waitFor();
    await chat.answer.locator('math').last().getByText('z').waitFor();
    expect(await chat.answer.locator('.text :is(img, script, a, [style], [onerror], [href])').count()).toBe(
      0,
    );
    expect(await page.locator('pre').textContent()).toBe(
      '<img src=x onerror=alert(1)><script>alert(2)</script>',
    );
  });

  it('answers its reader while code comes that takes seconds to colour, and colours what comes after', async () => {
    const { chat, page, run } = await open();
    const readLongest = await watchTasks(page);
    const hostile: [language: string, code: string][] = [
      ['csharp', 'int a'.repeat(4_000)],
      ['typescript', '<a>'.repeat(6_600)],
      ['javascript', 'a(b)'.repeat(5_000)],
      ['markdown', '[a'.repeat(9_900)],
    ];
    for (const [language, code] of hostile) run.say(`\`\`\`${language}\n${code}\n\`\`\`\n\n`);
    run.say('```py\nreturn 1\n```\n\nDone.');
    run.end();
    await chat.stands('completed');
    await chat.answer.locator('.hljs-keyword').waitFor();
    expect(await chat.answer.locator('[data-language=csharp] pre').textContent()).toBe(hostile[0]![1]);
    expect(await chat.answer.locator('.code:has([class^=hljs])').count()).toBe(1);
    expect(await readLongest()).toBeLessThan(LONGEST_TASK_MS);
  });

  it('leaves formulas as they are that bring macros, or become too large', async () => {
    const { chat, page, run } = await open();
    const readLongest = await watchTasks(page);
    const twice = String.raw`\def\a#1{${'#1'.repeat(100)}}\def\b#1{\a{${'#1'.repeat(20)}}}\b{xxxxxxxxxxxxxxxxxxxx}`;
    const large = String.raw`\ce{${'->[a]'.repeat(380)}}`;
    run.say(`\\(${twice}\\) \\(${large}\\) \\(\\newcommand{\\R}{x}\\R\\) \\(\\left(z\\right)\\)\n\nDone.`);
    run.end();
    await chat.stands('completed');
    await chat.answer.locator('math').getByText('z').waitFor();
    expect(await chat.answer.locator('math').count()).toBe(1);
    expect(await chat.answer.locator('code.formula').allTextContents()).toEqual([
      `\\(${twice}\\)`,
      `\\(${large}\\)`,
      String.raw`\(\newcommand{\R}{x}\R\)`,
    ]);
    expect(await readLongest()).toBeLessThan(LONGEST_TASK_MS);
  });

  it.each(['light', 'dark'] as const)('has enough contrast in the %s theme', async (colorScheme) => {
    const { chat, page, run } = await open({ ...LETS_AXE_IN, colorScheme });
    run.say(
      `\`\`\`py\n${CODE}\`\`\`\n\n\`\`\`ts\nexport class A<T> { private x: number = /re+/.test('s') ? 1 : null; }\n\`\`\`\n\n` +
        '```diff\n@@ -1 +1 @@\n-old\n+new\n```\n\n```css\na.b:hover { color: #fff; }\n```\n\n' +
        '```xml\n<a href="x">text</a>\n```\n\n```yaml\nkey: [1, "two"]\n```\n\nSo $x^2$ is it.',
    );
    run.end();
    await chat.stands('completed');
    await chat.answer.locator('math').waitFor();
    expect(await chat.answer.locator('.code:has([class^=hljs])').count()).toBe(6);
    expect(await findViolations(page)).toEqual([]);
  });

  it('moves nothing that a reader looks at further up, or down', async () => {
    const { chat, page, run } = await open();
    const block = (index: number) =>
      `Part ${index}:\n\n\`\`\`js\nconst a${index} = '${index}';\n\`\`\`\n\nand $\\frac{${index}}{2}$\n\n`;
    run.say(Array.from({ length: 30 }, (_, index) => block(index)).join(''));
    await chat.answer.getByText('Part 29:').waitFor();
    await page.locator('.scroller').hover();
    await page.mouse.wheel(0, -600);
    await page.getByTestId('latest').waitFor();
    await settled(page);
    const marker = chat.answer.getByText('Part 20:');
    const before = (await marker.boundingBox())!.y;
    run.say(block(30) + block(31));
    run.end();
    await chat.stands('completed');
    await page.waitForFunction(() => document.querySelectorAll('math').length === 32);
    await settled(page);
    expect(Math.abs((await marker.boundingBox())!.y - before)).toBeLessThan(2);
  });
});
