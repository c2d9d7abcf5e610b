import { expect, it } from '@jest/globals';
import { applyEvent, emptyView, type RunView } from '../../src/events/run-view.js';
import type { RunEvent } from '../../src/events/run-event.js';
import { chatServers } from '../support/chat.server.js';
import { describeInChromium } from './support/browser.js';
import { toPageUrl } from './support/chat.page.js';

const STEP = { stepId: 's', name: 'answer', attempt: 1 } as const;
const TEXT = { type: 'text-start', partId: 'p', messageId: 'm', stepId: 's' } as const;
const words = (delta: string): RunEvent => ({ type: 'text-delta', partId: 'p', delta });
const BEGIN: RunEvent[] = [
  { type: 'run-start', agent: 'a', messageId: 'm' },
  { type: 'step-start', ...STEP },
];
const USAGE = { inputTokens: 0, outputTokens: 0, totalTokens: 0 };

// The page's modules import each other by the addresses at which they are served, so it is a browser that tries them.
describeInChromium('screen reader text of a run', (chromium) => {
  const serve = chatServers();

  /** Returns the sentences for each of these events. */
  async function narrate(events: readonly RunEvent[]): Promise<string[][]> {
    const page = await chromium.visit(toPageUrl(await serve()));
    const views: RunView[] = [emptyView('run')];
    for (const [index, event] of events.entries()) {
      const recorded = { runId: 'run', threadId: 't', seq: index + 1, epoch: 1, at: 0, event };
      views.push(applyEvent(views.at(-1)!, recorded));
    }
    return page.evaluate(async (views) => {
      const address = '/assets/chat/narration.js';
      const { Narration } = (await import(address)) as {
        Narration: new () => { step(before: unknown, after: unknown): string[] };
      };
      const narration = new Narration();
      return views.slice(1).map((after, index) => narration.step(views[index], after));
    }, views);
  }

  it('reads whole sentences without Markdown marks, and the rest at the end', async () => {
    const said = await narrate([
      ...BEGIN,
      TEXT,
      words('The **cap'),
      words('ital** is [Vienna](https://example.com'),
      words('). It is'),
      words(' old'),
      { type: 'text-end', partId: 'p' },
      { type: 'end', outcome: 'completed', usage: USAGE, durationMs: 1 },
    ]);
    expect(said.slice(3)).toEqual([
      [],
      [],
      ['The capital is Vienna.'],
      [],
      [],
      ['It is old', 'The answer is complete.'],
    ]);
  });

  it('says that there is code and does not read it, and leaves marks inside of names', async () => {
    const said = await narrate([
      ...BEGIN,
      TEXT,
      words('Call `find_all` if a > b. Like so:\n\n```js\nlet a'),
      words(' = 1;\n```\nThat is _all_.'),
      { type: 'text-end', partId: 'p' },
      { type: 'end', outcome: 'completed', usage: USAGE, durationMs: 1 },
    ]);
    expect(said.slice(3).flat()).toEqual([
      'Call find_all if a > b. Like so: Code.',
      'That is all.',
      'The answer is complete.',
    ]);
  });

  it('reads the start and the end of a tool, and not its progress', async () => {
    const call = { toolCallId: 'c', toolName: 't', stepId: 's', messageId: 'm' };
    const said = await narrate([
      ...BEGIN,
      { type: 'tool-start', ...call, label: 'Searching the web…' },
      { type: 'tool-progress', toolCallId: 'c', fraction: 0.5 },
      { type: 'tool-end', toolCallId: 'c', outcome: 'timeout', durationMs: 61_500 },
    ]);
    expect(said.slice(2)).toEqual([
      ['Searching the web…'],
      [],
      ['Searching the web: took too long in 1 min 01 s.'],
    ]);
  });

  it('continues with the new text after a step was reset', async () => {
    const said = await narrate([
      ...BEGIN,
      TEXT,
      words('Wrong words. '),
      { type: 'step-reset', stepId: 's', attempt: 2, reason: 'retry' },
      { type: 'text-start', partId: 'p', messageId: 'm', stepId: 's' },
      words('Right words. '),
      {
        type: 'end',
        outcome: 'failed',
        error: { code: 'X', message: 'It broke.', retryable: false },
        usage: USAGE,
        durationMs: 1,
      },
    ]);
    expect(said.slice(3)).toEqual([
      ['Wrong words.'],
      [],
      [],
      ['Right words.'],
      ['The answer failed. It broke.'],
    ]);
  });
});
