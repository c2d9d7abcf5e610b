import { expect, it } from '@jest/globals';
import { AppError } from '../../src/errors.js';
import { Deeds, obedientAgent } from '../security/tainted-servers.js';
import { chatServers } from '../support/chat.server.js';
import { findViolations } from './support/accessibility.js';
import { describeInChromium, type VisitOptions } from './support/browser.js';
import { ChatPage, toPageUrl } from './support/chat.page.js';
import { Puppet } from './support/puppet.js';

const LOOKS: Readonly<Record<string, VisitOptions>> = {
  light: { colorScheme: 'light' },
  dark: { colorScheme: 'dark' },
  'forced colours': { forcedColors: 'active' },
};

const MISSING = { code: 'TOOL_FAILED', message: 'It is not there.', retryable: false };

const ANSWER = `# Findings

### Below it

- [x] done
- [ ] open

| Name | Area |
|:--|--:|
| A | 1 |

\`\`\`js
const a = 1;
\`\`\`

> Quoted, with a [link](https://example.com) and \\(a^2\\).`;

describeInChromium('axe on the page', (chromium) => {
  const serve = chatServers();

  it.each(Object.keys(LOOKS))(
    'finds nothing while a conversation is empty, runs, fails and ends, in %s',
    async (look) => {
      const puppet = new Puppet();
      const server = await serve({ play: puppet.play });
      const chat = new ChatPage(await chromium.visit(toPageUrl(server), LOOKS[look]));
      const { page } = chat;
      await page.getByText('Your conversations appear here.').waitFor();
      expect(await findViolations(page)).toEqual([]);

      await chat.ask('Work');
      const run = await puppet.run();
      run.startTool('a', 'Looking here…', { name: 'x' });
      run.startTool('b', 'Looking there…', { name: 'y' });
      run.endTool('b', { outcome: 'error', durationMs: 3, error: MISSING });
      await page.getByRole('button', { name: 'Details: Looking there' }).click();
      await chat.ask('And then');
      await page.getByTestId('queued').waitFor();
      expect(await findViolations(page)).toEqual([]);

      run.say(ANSWER);
      await chat.answer.getByText('Quoted').waitFor();
      expect(await findViolations(page)).toEqual([]);
      run.end();
      (await puppet.run()).fail(new AppError('MODEL_OVERLOADED', 'The model is overloaded.'));
      await chat.stands('failed');
      expect(await findViolations(page)).toEqual([]);
    },
  );

  it('finds nothing where a decision waits, in the open list on a phone, and where there is no conversation', async () => {
    const server = await serve(obedientAgent(new Deeds()));
    const page = await chromium.visit(toPageUrl(server), {
      mayFail: true,
      viewport: { width: 390, height: 844 },
      hasTouch: true,
      isMobile: true,
    });
    const chat = new ChatPage(page);
    await chat.ask('read send');
    await chat.stands('awaiting-input');
    await chat.answer.getByRole('button', { name: 'Deny…' }).click();
    expect(await findViolations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Conversations' }).click();
    await page.locator('.sidebar[data-open]').waitFor();
    await page.evaluate(() => Promise.all(document.getAnimations().map(({ finished }) => finished)));
    expect(await findViolations(page)).toEqual([]);
    await page.goto(`${toPageUrl(server)}?thread=nowhere`);
    await page.getByRole('alert').waitFor();
    expect(await findViolations(page)).toEqual([]);
  });
});
