import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { formatCost, formatCount, formatDuration } from '../../src/client/inspect/format.js';
import { parseRunLogs, type RunLog } from '../../src/client/run-log.js';
import type { RecordedEvent } from '../../src/events/recorded-event.js';
import type { RunEvent } from '../../src/events/run-event.js';
import { foldRun, getText } from '../../src/events/run-view.js';
import { InspectedServer, type InspectedRuns } from '../harness/inspected/inspected-server.js';
import { begunRun, toEnding } from '../../src/testing/storage/storage-samples.js';
import { RetentionService } from '../../src/runs/retention.service.js';
import { chatServers, type ChatServer } from '../support/chat.server.js';
import { untilEqual } from '../support/until.js';
import { describeInChromium } from './support/browser.js';
import { ChatPage, toPageUrl } from './support/chat.page.js';
import { Puppet } from './support/puppet.js';

/** A row of the timeline, as it is in the document. */
interface ShownRow {
  readonly kind: string;
  readonly state: string;
  readonly replaced: string | undefined;
  readonly label: string;
  readonly began: string;
  readonly took: string;
  readonly facts: string;
}

const readRows = (page: Page): Promise<ShownRow[]> =>
  page.getByTestId('row').evaluateAll((rows) =>
    rows.map((row) => {
      const [label, , began, took, facts] = [...row.children].map(({ textContent }) => textContent);
      const { kind, state, replaced } = (row as HTMLElement).dataset;
      return { kind, state, replaced, label, began, took, facts } as unknown as ShownRow;
    }),
  );

describeInChromium('inspector of a run that was killed twice', (chromium) => {
  let directory: string;
  let server: InspectedServer;
  let runs: InspectedRuns;
  let first: RunLog;
  let second: RunLog;
  let log: readonly RecordedEvent[];

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'inspector-'));
    server = new InspectedServer(directory);
    runs = await server.makeRuns();
    const read = async (runId: string) => {
      const response = await fetch(`${server.origin}/api/chat/runs/${runId}/log`);
      return parseRunLogs(await response.text())[0]!;
    };
    first = await read(runs.first);
    second = await read(runs.second);
    log = [...first.events, ...second.events];
  }, 120_000);

  afterAll(async () => {
    await server.kill();
    await rm(directory, { recursive: true, force: true });
  });

  async function inspect(query = ''): Promise<Page> {
    const page = await chromium.visit(`${server.origin}/runs/${runs.second}${query}`);
    await page.getByTestId('row').first().waitFor();
    return page;
  }

  const find = (events: readonly RecordedEvent[], test: (event: RunEvent) => boolean) =>
    events.filter(({ event }) => test(event));
  const between = (from: RecordedEvent, to: RecordedEvent) => formatDuration(to.at - from.at);

  it('shows how long nobody had the run', async () => {
    const rows = await readRows(await inspect());
    const expected = find(log, ({ type }) => type === 'run-resume').map((resume) =>
      between(log[log.indexOf(resume) - 1]!, resume),
    );
    expect(expected).toHaveLength(2);
    expect(rows.filter(({ kind }) => kind === 'dead').map(({ took }) => took)).toEqual(expected);
  });

  it('shows the text that was replaced, and why', async () => {
    const page = await inspect();
    const replaced = await page
      .getByTestId('replaced')
      .evaluateAll((items) =>
        items.map((item) => [
          (item as HTMLElement).dataset['reason'],
          item.querySelector('blockquote')!.textContent,
        ]),
      );
    const spoken = find(first.events, (event) => event.type === 'text-delta' && event.partId === 'p1-1');
    expect(replaced).toEqual([
      ['restart', spoken.map(({ event }) => (event as { delta: string }).delta).join('')],
      ['retry', 'Let me '],
    ]);
  });

  it('shows the duration of every tool, model call, step and wait as the log has it', async () => {
    const rows = await readRows(await inspect());
    const tookOf = (kind: string, label?: string) =>
      rows
        .filter((row) => row.kind === kind && (label === undefined || row.label === label))
        .map(({ took }) => took);

    const ends = find(log, ({ type }) => type === 'tool-end');
    const toolTimes = ends.map((end) => {
      const { toolCallId } = end.event as { toolCallId: string };
      const before = log.slice(0, log.indexOf(end));
      return between(
        find(before, (event) => event.type === 'tool-start' && event.toolCallId === toolCallId).at(-1)!,
        end,
      );
    });
    const finished = rows.filter(({ kind, state }) => kind === 'tool' && state !== 'cut');
    expect(finished.map(({ took }) => took)).toEqual(toolTimes);

    const reports = log.flatMap(({ event }) => (event.type === 'usage' ? [event] : []));
    expect(tookOf('model-call')).toEqual(reports.map(({ durationMs }) => formatDuration(durationMs!)));
    const calls = rows.filter(({ kind }) => kind === 'model-call');
    for (const [index, { outputTokens, firstTokenMs, failed }] of reports.entries()) {
      expect(calls[index]!.state).toBe(failed ? 'failed' : 'done');
      if (failed) continue;
      expect(calls[index]!.facts).toContain(`${formatCount(outputTokens)} out`);
      expect(calls[index]!.facts).toContain(`first token ${formatDuration(firstTokenMs!)}`);
    }

    const open = new Map<string, RecordedEvent>();
    const steps: string[] = [];
    for (const recorded of log) {
      const { event } = recorded;
      if (event.type === 'step-start' && !open.has(event.stepId)) open.set(event.stepId, recorded);
      if (event.type === 'run-resume') open.clear();
      if (event.type !== 'step-end') continue;
      steps.push(`${event.name} ${between(open.get(event.stepId)!, recorded)}`);
      open.delete(event.stepId);
    }
    const shown = rows.filter(({ kind, state }) => kind === 'step' && state === 'done');
    const sorted = (all: readonly string[]) => all.toSorted((one, other) => one.localeCompare(other));
    expect(sorted(shown.map(({ label, took }) => `${label} ${took}`))).toEqual(sorted(steps));

    const [request] = find(first.events, ({ type }) => type === 'input-request');
    const begun = second.events[0]!;
    const answeredAt = begun.at - ((begun.event as { queuedMs?: number }).queuedMs ?? 0);
    expect(rows.find(({ kind }) => kind === 'wait')).toMatchObject({
      took: formatDuration(answeredAt - request!.at),
      label: 'Waits for a person: Paying Eve',
      facts: 'approved with changes by local: {"to":"Eve","amount":450}',
    });
  });

  it('marks a failed tool beside one that was cut off, and what was superseded', async () => {
    const rows = await readRows(await inspect());
    const tools = rows.filter(({ kind }) => kind === 'tool');
    expect(tools.map(({ label, state, replaced }) => [label, state, replaced])).toEqual([
      ['Reading the exchange rates', 'cut', 'restart'],
      ['Looking for news', 'failed', undefined],
      ['Reading the exchange rates', 'done', undefined],
      ['Paying Eve', 'done', undefined],
    ]);
    expect(tools[1]!.facts).toBe('error · The tool failed.');
  });

  it('shows what the reader saw at each event, by keyboard, and keeps the place in the address', async () => {
    const page = await inspect('?at=12');
    const text = () =>
      page
        .locator('[data-part=text]')
        .allTextContents()
        .then((parts) => parts.join(''));
    const before = getText(foldRun(runs.first, first.events));
    const expected = (seq: number) =>
      before +
      getText(
        foldRun(
          runs.second,
          second.events.filter((event) => event.seq <= seq),
        ),
      );
    await untilEqual(text, expected(12));
    await page.getByRole('listbox', { name: 'Events' }).press('ArrowDown');
    await page.waitForURL(/at=13$/);
    await untilEqual(text, expected(13));

    await page.getByRole('slider', { name: 'Event' }).fill('10');
    await page.getByText('The invoice of Eve is due', { exact: false }).first().waitFor();
    await untilEqual(text, 'The invoice of Eve is due ');
    await page.getByRole('slider', { name: 'Event' }).fill('13');
    await page.locator('[data-part=text]').waitFor({ state: 'detached' });
  });

  it('leads from a run that waited to the one that continues it, and back, and shows what both have cost', async () => {
    const page = await chromium.visit(`${server.origin}/runs/${runs.first}`);
    const chain = page.getByRole('navigation', { name: 'Runs of this answer' });
    const current = () => chain.locator('[aria-current]').textContent();
    await chain.getByRole('button').first().waitFor();
    expect(await chain.getByRole('button').allTextContents()).toEqual([
      `Run ${runs.first}`,
      `Run ${runs.second}`,
    ]);
    await untilEqual(current, `Run ${runs.first}`);
    const costs = [first, second].map(({ run }) => run.usage!.costMicros!);
    expect(await chain.locator('li span').allTextContents()).toEqual([
      expect.stringMatching(`^awaiting input · .+ · cost ${formatCost(costs[0]!)}$`),
      expect.stringMatching(`^completed · .+ · cost ${formatCost(costs[1]!)}$`),
    ]);
    expect(await page.locator('[data-fact=cost] dd').textContent()).toBe(formatCost(costs[0]! + costs[1]!));

    await chain.getByRole('button', { name: runs.second }).click();
    await page.waitForURL(new RegExp(`/runs/${runs.second}\\?at=${second.events.at(-1)!.seq}$`));
    await untilEqual(current, `Run ${runs.second}`);
    await chain.getByRole('button', { name: runs.first }).press('Enter');
    await page.waitForURL(new RegExp(`/runs/${runs.first}\\?at=${first.events.at(-1)!.seq}$`));
    await page.reload();
    await chain.getByRole('button').first().waitFor();
    await untilEqual(current, `Run ${runs.first}`);
  });

  it('finds events, and downloads a file that it opens again', async () => {
    const page = await inspect();
    await page.getByRole('searchbox', { name: 'Search the events' }).fill('run-resume');
    await page.getByText('2 found').waitFor();
    const downloading = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download .jsonl' }).click();
    const text = await readFile(await (await downloading).path(), 'utf8');
    expect(parseRunLogs(text)).toEqual([first, second]);

    const rows = await readRows(page);
    await page
      .getByLabel('Open .jsonl')
      .setInputFiles({ name: 'x.jsonl', mimeType: '', buffer: Buffer.from('no') });
    await page.getByText('This file is not a log of a run.', { exact: false }).waitFor();
    await page
      .getByLabel('Open .jsonl')
      .setInputFiles({ name: 'x.jsonl', mimeType: '', buffer: Buffer.from(text) });
    await page.getByText('This file is not a log').waitFor({ state: 'detached' });
    await untilEqual(() => readRows(page), rows);
  });

  it('replays the run to its end', async () => {
    const page = await inspect('?at=20');
    await page.getByRole('combobox', { name: 'Speed' }).selectOption('20');
    await page.getByRole('button', { name: 'Replay' }).click();
    await page.getByText(`event ${log.length} of ${log.length}`, { exact: false }).waitFor();
    await page.getByRole('button', { name: '▶ Replay' }).waitFor();
  });

  it('opens beside the conversation, loads its code only then, and marks where the answer was continued', async () => {
    const context = await chromium.context();
    const page = await context.newPage();
    const loaded: string[] = [];
    page.on('request', (request) => loaded.push(new URL(request.url()).pathname));
    await page.goto(`${server.origin}/?thread=${runs.threadId}`);
    await page.getByTestId('continued').first().waitFor();
    expect(await page.getByTestId('continued').allTextContents()).toEqual([
      'Continued after a restart',
      'Continued after a restart',
    ]);
    expect(loaded.filter((path) => path.includes('/inspect/'))).toEqual([]);
    const link = page.getByTestId('inspect').last();
    await link.click();
    await page.getByTestId('panel').getByTestId('row').first().waitFor();
    expect(new URL(page.url()).searchParams.get('run')).toBe(runs.second);
    await page.keyboard.press('Escape');
    await page.getByTestId('panel').waitFor({ state: 'hidden' });
    await untilEqual(() => link.evaluate((element) => element === document.activeElement), true);
    await untilEqual(() => new URL(page.url()).searchParams.has('run'), false);
  });

  it('lists the runs, by what they cost, and opens one', async () => {
    const page = await chromium.visit(`${server.origin}/runs`);
    const ids = () =>
      page
        .locator('tr[data-run]')
        .evaluateAll((rows) => rows.map((row) => (row as HTMLElement).dataset['run']));
    await page.locator('tr[data-run]').first().waitFor();
    await untilEqual(ids, [runs.second, runs.first]);
    await page.getByRole('button', { name: 'Tokens' }).click();
    await untilEqual(ids, [runs.first, runs.second]);
    await page.locator(`tr[data-run="${runs.first}"] a`).click();
    await page.getByText('awaiting input').first().waitFor();
    expect(new URL(page.url()).pathname).toBe(`/runs/${runs.first}`);
  });

  it('shows everything on a narrow screen and on paper without anything cut off sideways', async () => {
    const page = await chromium.visit(`${server.origin}/runs/${runs.second}`, {
      viewport: { width: 360, height: 740 },
    });
    await page.getByTestId('row').first().waitFor();
    const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(await overflow()).toBeLessThanOrEqual(0);
    await page.emulateMedia({ media: 'print' });
    await page.getByRole('button', { name: 'Download .jsonl' }).waitFor({ state: 'hidden' });
    expect(await overflow()).toBeLessThanOrEqual(0);
  });
});

describeInChromium('inspector', (chromium) => {
  const serve = chatServers();

  it('follows a run that goes on', async () => {
    const puppet = new Puppet();
    const server = await serve({ play: puppet.play });
    const { runId } = await server.startRun();
    const run = await puppet.run();
    run.say('One. ');
    const page = await chromium.visit(`${server.origin}/runs/${runId}`);
    await page.locator('[data-part=text]', { hasText: 'One.' }).waitFor();
    run.say('Two. ');
    run.startTool('c', 'Looking');
    await page.locator('[data-kind=tool][data-state=open]').waitFor();
    await page.locator('[data-part=text]', { hasText: 'One. Two.' }).waitFor();
    run.endTool('c', { outcome: 'ok', durationMs: 1 });
    run.end();
    await page.locator('[data-fact=state]', { hasText: 'completed' }).waitFor();
  });

  it('has few rows in the document, however many events there are', async () => {
    const server = await serve({
      play: (_, context) => {
        const { messageId, attempt } = context;
        const emit = (event: RunEvent) => void context.emit(event);
        const step = { stepId: 's', name: 'answer', attempt } as const;
        emit({ type: 'step-start', ...step });
        emit({ type: 'text-start', partId: 'p', messageId, stepId: 's' });
        for (let count = 0; count < 3_000; count += 1) {
          emit({ type: 'text-delta', partId: 'p', delta: `word-${count} ` });
          emit({ type: 'custom', name: 'count', data: count });
        }
        emit({ type: 'text-end', partId: 'p' });
        emit({ type: 'step-end', ...step });
        context.commitNow();
      },
    });
    const { runId } = await server.finishedRun();
    const page = await chromium.visit(`${server.origin}/runs/${runId}`);
    await page.locator('.log .note', { hasText: '6,0' }).waitFor();
    expect(await page.locator('.event').count()).toBeLessThan(60);
    await page.getByRole('listbox', { name: 'Events' }).press('Home');
    await page.locator('.event', { hasText: 'run-start' }).waitFor();
    await page.getByRole('searchbox').fill('word-2999 ');
    await page.locator('.event', { hasText: 'word-2999' }).click();
    await page.locator('.detail', { hasText: 'word-2999' }).waitFor();
  });

  it('finds the run that cost most, and the one that took longest, among more than a page lists', async () => {
    const server = await serve();
    const principal = { userId: 'local', tenant: 'local', roles: [] };
    for (let index = 0; index < 1_100; index += 1) {
      const run = await begunRun(server.storage, `run-${index}`, { principal });
      const { ending, ...batch } = toEnding(run, 0);
      const usage = { ...ending!.usage, costMicros: index === 7 ? 2_000_000 : index };
      await server.storage.log.append([{ ...batch, ending: { ...ending!, usage } }]);
    }
    const page = await chromium.visit(`${server.origin}/runs`);
    await page.getByText('The latest 1,000 runs. There are more', { exact: false }).waitFor();
    const first = () => page.locator('tr[data-run]').first().getAttribute('data-run');
    await untilEqual(first, 'run-1099');
    await page.getByRole('button', { name: 'Cost' }).click();
    await page.getByText('The 100 runs that cost most. There are more.').waitFor();
    await untilEqual(first, 'run-7');
    expect(await page.locator('tr[data-run]').first().locator('[data-column=cost]').textContent()).toBe('2');
    await page.getByRole('button', { name: 'Took' }).click();
    await page.getByText('The 100 runs that took longest. There are more.').waitFor();
  });

  it('says that a replay jumps where the log was compacted', async () => {
    const puppet = new Puppet();
    const server = await serve({ play: puppet.play, retention: { compactAfterMs: 0 } });
    const { runId } = await server.startRun();
    const run = await puppet.run();
    for (const words of ['One. ', 'Two. ', 'Three.']) run.say(words);
    run.end();
    await (await server.watch(runId)).closed();
    const page = await chromium.visit(`${server.origin}/runs/${runId}`);
    await page.locator('[data-part=text]', { hasText: 'One. Two. Three.' }).waitFor();
    const jump = page.getByText('a replay jumps where words were joined');
    expect(await jump.count()).toBe(0);

    const retention = server.app.get(RetentionService, { strict: false });
    const { length } = await readLog(server, runId);
    while ((await readLog(server, runId)).length === length) await retention.sweep();
    await page.reload();
    await jump.waitFor();
    await page.getByRole('button', { name: 'Replay' }).click();
    const note = page.getByRole('region', { name: 'Replay' }).getByRole('status');
    await note.getByText('The log was compacted: words that came one by one come at once here.').waitFor();
    await page.getByRole('button', { name: '▶ Replay' }).waitFor();
    await page.locator('[data-part=text]', { hasText: 'One. Two. Three.' }).waitFor();
  });

  it('says that a run is not there', async () => {
    const server = await serve();
    const page = await chromium.visit(`${toPageUrl(server)}runs/nothing`, { mayFail: true });
    await page.getByText("There is no run 'nothing'.").waitFor();
    expect(await page.getByTestId('row').count()).toBe(0);
  });

  it('offers the inspector of an answer that is still being written', async () => {
    const puppet = new Puppet();
    const server = await serve({ play: puppet.play });
    const chat = new ChatPage(await chromium.visit(toPageUrl(server)));
    await chat.ask('Hello');
    const run = await puppet.run();
    run.say('Hello. ');
    await chat.page.getByTestId('inspect').click();
    await chat.page.getByTestId('panel').locator('[data-kind=step][data-state=open]').waitFor();
    run.end();
    await chat.page.getByTestId('panel').locator('[data-kind=step][data-state=done]').waitFor();
  });
});

async function readLog(server: ChatServer, runId: string): Promise<readonly RecordedEvent[]> {
  const response = await fetch(`${server.url}/runs/${runId}/log`);
  return parseRunLogs(await response.text()).flatMap(({ events }) => events);
}
