import { expect, it } from '@jest/globals';
import type { AgentContext } from '../../src/agents/agent.js';
import { chatServers } from '../support/chat.server.js';
import { describeInChromium } from './support/browser.js';
import { ChatPage, toPageUrl } from './support/chat.page.js';

const PNG =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

async function play(_: unknown, context: AgentContext): Promise<void> {
  const { messageId, attempt } = context;
  const step = { stepId: 'step', name: 'draw', attempt } as const;
  const place = { messageId, stepId: step.stepId };
  void context.emit({ type: 'step-start', ...step });
  void context.emit({ type: 'text-start', partId: 'p1', ...place });
  void context.emit({ type: 'text-delta', partId: 'p1', delta: 'A dot.' });
  void context.emit({
    type: 'source',
    partId: 'p2',
    ...place,
    url: 'https://example.com/dot',
    title: 'Dots',
  });
  void context.emit({ type: 'source', partId: 'p3', ...place, url: 'javascript:alert(1)', title: 'Bad' });
  void context.emit({ type: 'text-end', partId: 'p1' });
  const files = [
    { data: PNG, name: 'dot.png' },
    { url: 'https://example.com/far.png', mediaType: 'image/png' },
  ];
  for (const [index, file] of [...files, { data: Buffer.alloc(11 * 1024 * 1024) }].entries())
    void context.emit({ type: 'file', partId: `f${index}`, ...place, ...(await context.keepFile!(file)) });
  void context.emit({ type: 'step-end', ...step });
}

describeInChromium('files and sources on the page', (chromium) => {
  const serve = chatServers();

  it('shows images of this server, and only links to others', async () => {
    const server = await serve({ play });
    const page = await chromium.visit(toPageUrl(server));
    const asked: string[] = [];
    page.on('request', (request) => asked.push(new URL(request.url()).host));
    const chat = new ChatPage(page);
    await chat.ask('Draw a dot');
    await chat.stands('completed');

    const image = chat.answer.locator('img');
    await image.waitFor();
    await page.waitForFunction(() => {
      const drawn = document.querySelector<HTMLImageElement>('.file-part img');
      return drawn?.complete === true && drawn.naturalWidth === 1;
    });
    expect(await image.getAttribute('alt')).toBe('dot.png');
    const parts = chat.answer.getByTestId('file-part');
    expect(await parts.allTextContents()).toEqual([
      '',
      'image/png',
      'application/octet-stream: The file is too large to be kept.',
    ]);
    expect(await parts.nth(1).locator('a').getAttribute('href')).toBe('https://example.com/far.png');
    const sources = chat.answer.getByTestId('source-part');
    expect(await sources.allTextContents()).toEqual(['Source: Dots', 'Source: Bad']);
    expect(await sources.locator('a').count()).toBe(1);
    expect(new Set(asked)).toEqual(new Set([`127.0.0.1:${server.port}`]));

    await page.reload();
    await chat.answer.locator('img').waitFor();
  });
});
