import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { describeRow, getLabel } from '../../src/client/inspect/describe-row.js';
import { formatDuration } from '../../src/client/inspect/format.js';
import { parseRunLogs } from '../../src/client/run-log.js';
import { foldTimeline } from '../../src/events/fold-timeline.js';
import { untilEqual } from '../support/until.js';
import { InspectedServer, type InspectedRuns } from '../harness/inspected/inspected-server.js';
import { findViolations, LETS_AXE_IN, readTable } from './support/accessibility.js';
import { describeInChromium } from './support/browser.js';

const WIDE = { width: 1280, height: 800 };
const NARROW = { width: 360, height: 740 };
const LOOKS = (['light', 'dark'] as const).flatMap((colorScheme) => [
  [`${colorScheme}, wide`, { ...LETS_AXE_IN, colorScheme, viewport: WIDE }] as const,
  [`${colorScheme}, narrow`, { ...LETS_AXE_IN, colorScheme, viewport: NARROW }] as const,
]);

describeInChromium('accessibility of the inspector', (chromium) => {
  let directory: string;
  let server: InspectedServer;
  let runs: InspectedRuns;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'inspector-'));
    server = new InspectedServer(directory);
    runs = await server.makeRuns();
  }, 120_000);

  afterAll(async () => {
    await server.kill();
    await rm(directory, { recursive: true, force: true });
  });

  const inspect = async (options = {}): Promise<Page> => {
    const page = await chromium.visit(`${server.origin}/runs/${runs.second}`, options);
    await page.getByTestId('row').first().waitFor();
    return page;
  };

  it.each(LOOKS)('leaves axe nothing to find on the page of a run: %s', async (_, options) => {
    const page = await inspect(options);
    expect(await findViolations(page)).toEqual([]);
    await page.getByRole('searchbox', { name: 'Search the events' }).fill('run-resume');
    await page.getByText('2 found').waitFor();
    await page.getByRole('listbox', { name: 'Events' }).press('Home');
    expect(await findViolations(page)).toEqual([]);
  });

  it.each(LOOKS)('leaves axe nothing to find on the list of runs: %s', async (_, options) => {
    const page = await chromium.visit(`${server.origin}/runs`, options);
    await page.locator('tr[data-run]').first().waitFor();
    expect(await findViolations(page)).toEqual([]);
  });

  it.each(LOOKS)('leaves axe nothing to find in the panel beside an answer: %s', async (_, options) => {
    const page = await chromium.visit(`${server.origin}/?thread=${runs.threadId}`, options);
    await page.getByTestId('inspect').last().click();
    await page.getByTestId('panel').getByTestId('row').first().waitFor();
    expect(await findViolations(page, '[data-testid=panel]')).toEqual([]);
  });

  it.each([WIDE, NARROW])(
    'tells screen readers in a table what it draws along time, at any width: $width',
    async (viewport) => {
      const page = await inspect({ viewport });
      const read = async (runId: string) => {
        const response = await fetch(`${server.origin}/api/chat/runs/${runId}/log`);
        return parseRunLogs(await response.text()).flatMap(({ events }) => events);
      };
      const {
        rows,
        from,
        to: end,
      } = foldTimeline([...(await read(runs.first)), ...(await read(runs.second))]);
      const name = 'What happened, in order: the steps, and in them model calls, tools and waits.';
      await untilEqual(
        () => readTable(page, name),
        [
          ['What', 'Began', 'Took', 'Facts'],
          ...rows.map((row) => [
            getLabel(row),
            `+${formatDuration(row.from - from)}`,
            formatDuration((row.to ?? end) - row.from),
            describeRow(row),
          ]),
        ],
      );
      expect(rows.length).toBeGreaterThan(15);
    },
  );

  it('can be used by keyboard alone, from the list of runs to an event', async () => {
    const page = await chromium.visit(`${server.origin}/runs`);
    await page.locator(`tr[data-run="${runs.second}"] a`).focus();
    await page.keyboard.press('Enter');
    await page.getByTestId('row').first().waitFor();
    const focusNext = async (name: string) => {
      for (let stops = 0; stops < 80; stops += 1) {
        await page.keyboard.press('Tab');
        const focused = await page.evaluate(() => {
          const active = document.activeElement?.shadowRoot?.activeElement ?? document.activeElement;
          return active?.getAttribute('aria-label') ?? active?.textContent;
        });
        if (focused === name) return;
      }
      throw new Error(`The Tab key does not come to '${name}'.`);
    };
    await focusNext(`Run ${runs.first}`);
    await page.keyboard.press('Enter');
    await page.waitForURL(new RegExp(`/runs/${runs.first}\\?at=`));
    await focusNext('Paying Eve');
    await page.keyboard.press('Enter');
    await page.waitForURL(new RegExp(`/runs/${runs.second}\\?at=`));
    await focusNext('Event');
    await page.keyboard.press('Home');
    await page.getByText('event 0 of', { exact: false }).waitFor();
    await focusNext('Events');
    await page.keyboard.press('End');
    await page.getByText(/event (\d+) of \1,/).waitFor();
  });
});
