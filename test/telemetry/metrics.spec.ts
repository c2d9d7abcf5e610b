import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parser } from '@prometheus-io/lezer-promql';
import { parse } from 'yaml';
import { METRICS, type MetricDescription } from '../../src/telemetry/metric-names.js';
import { ATTRIBUTES } from '../../src/telemetry/names.js';
import { freePort } from '../harness/cluster/free-port.js';
import { AppProcess } from '../page/support/app.process.js';
import { EventStream } from '../support/event-stream.js';
import { until } from '../support/until.js';

const read = (path: string) => readFile(new URL(`../../${path}`, import.meta.url), 'utf8');

interface Dashboard {
  readonly panels: readonly {
    readonly title: string;
    readonly targets: readonly { readonly expr: string }[];
  }[];
}
interface AlertRules {
  readonly groups: readonly {
    readonly rules: readonly { readonly alert: string; readonly expr: string }[];
  }[];
}

const toPrometheus = (name: string) => name.replaceAll('.', '_');

/** The series that a metric has in a scrape. */
function listSeries({ name, kind }: MetricDescription): string[] {
  const base = toPrometheus(name);
  if (kind === 'counter') return [`${base}_total`];
  return kind === 'histogram' ? ['bucket', 'sum', 'count'].map((part) => `${base}_${part}`) : [base];
}

const SERIES = new Set(Object.values(METRICS).flatMap(listSeries));
const LABELS = new Set(Object.values(ATTRIBUTES).map(toPrometheus));
/** What a scrape of the standalone app has only with a provider that counts so, with a model that has no price, or with hooks, which are code. */
const ONLY_SOMETIMES = new Set(
  [
    METRICS.cacheReadTokens,
    METRICS.cacheWriteTokens,
    METRICS.reasoningTokens,
    METRICS.hookCalls,
    METRICS.runsUnpricedTokens,
  ].flatMap(listSeries),
);

/** The names in an expression: of series, and of labels. */
function listNames(expression: string): string[] {
  return expression.match(/\b(?:agent_stream|gen_ai|nodejs|error)_\w+/g) ?? [];
}

/** True if Prometheus can read the expression. */
function isPromQl(expression: string): boolean {
  const plain = expression.replaceAll('$__rate_interval', '5m').replaceAll('$job', 'x');
  let isSound = true;
  parser.parse(plain).iterate({ enter: ({ type }) => void (isSound &&= !type.isError) });
  return isSound;
}

describe('metrics', () => {
  let directory: string;
  let app: AppProcess;
  let scrape: string;
  let runId: string;
  let threadId: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'metrics-'));
    const port = await freePort();
    const prices = { currency: 'EUR', models: { '*': { input: 1, output: 2 } } };
    await writeFile(join(directory, 'prices.json'), JSON.stringify(prices));
    app = new AppProcess({
      DATA_DIR: directory,
      DEMO_PACE_MS: '0',
      AUTH_API_KEYS: 'key-of-wilhelmina-0123456789:wilhelmina@zebra',
      METRICS_PORT: String(port),
      TELEMETRY_LEGACY_METRICS: 'true',
      PRICES_FILE: join(directory, 'prices.json'),
      THREAD_TITLES: 'model',
    });
    await app.start();
    const stream = await EventStream.open(`${app.origin}/api/chat`, {
      method: 'POST',
      headers: { 'x-api-key': 'key-of-wilhelmina-0123456789' },
      body: { message: 'What is 6 * 7?' },
    });
    await stream.closed();
    const { data } = await stream.frame('ready');
    runId = String(data['runId']);
    threadId = String(data['threadId']);
    await fetch(`${app.origin}/api/chat/runs/${runId}/feedback`, {
      method: 'PUT',
      headers: { 'x-api-key': 'key-of-wilhelmina-0123456789', 'content-type': 'application/json' },
      body: JSON.stringify({ rating: 'down', comment: 'Not for zebra.' }),
    });
    // The title is made and charged after the run.
    await until(async () => {
      scrape = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
      return value('gen_ai_client_inference_duration_count') === 3 && isAllCharged();
    });
  });

  const value = (series: string) =>
    Number(new RegExp(`^${series}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(scrape)?.[1]);
  const tokens = (way: string) => value(`gen_ai_client_inference_usage_${way}_tokens_total`);
  const cost = () => (tokens('input') + 2 * tokens('output')) / 1e6;
  const isAllCharged = () => Math.abs(value('agent_stream_runs_cost_total') - cost()) < 5e-6;

  afterAll(async () => {
    await app?.kill();
    await rm(directory, { recursive: true, force: true });
  });

  it('are all in a scrape of the app, under the names that the file of names gives them', () => {
    const scraped = new Set(
      scrape
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('#'))
        .map((line) => /^\w+/.exec(line)![0]),
    );
    scraped.delete('target_info');
    expect([...SERIES].filter((series) => !scraped.has(series) && !ONLY_SOMETIMES.has(series))).toEqual([]);
    expect([...scraped].filter((series) => !SERIES.has(series))).toEqual([]);
  });

  it('measure what has happened', () => {
    expect(value('agent_stream_runs_ended_total')).toBe(1);
    expect(value('agent_stream_runs_cost_total')).toBeCloseTo(cost(), 5);
    expect(value('gen_ai_invoke_agent_inference_calls_sum')).toBe(2);
    expect(value('gen_ai_invoke_agent_tool_calls_sum')).toBe(1);
    // The title of the thread is a call that is no part of the agent's work.
    expect(value('gen_ai_client_inference_duration_count')).toBe(3);
    expect(value('agent_stream_stream_first_frame_count')).toBe(1);
    expect(value('agent_stream_stream_sent_total')).toBeGreaterThan(1_000);
    expect(scrape).toContain('agent_stream_run_outcome="completed"');
    expect(value('agent_stream_feedback_total')).toBe(1);
    expect(scrape).toContain('agent_stream_feedback_rating="down"');
  });

  it('have the tokens that the person is charged for, with those of the title', async () => {
    const response = await fetch(`${app.origin}/api/chat/usage`, {
      headers: { 'x-api-key': 'key-of-wilhelmina-0123456789' },
    });
    const { items } = (await response.json()) as { readonly items: readonly unknown[] };
    const figures = { inputTokens: tokens('input'), outputTokens: tokens('output') };
    expect(items).toMatchObject([{ runs: 1, usage: figures }]);
  });

  it('name no person, no tenant, no thread and no run', () => {
    for (const name of ['wilhelmina', 'zebra', runId, threadId]) expect(scrape).not.toContain(name);
  });

  it('are the ones that the dashboard and the alert rules ask for, in expressions that Prometheus can read', async () => {
    const { panels } = JSON.parse(await read('deploy/grafana/dashboard.json')) as Dashboard;
    const { groups } = parse(await read('deploy/prometheus/alerts.yml')) as AlertRules;
    const expressions = [
      ...panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
      ...groups.flatMap(({ rules }) => rules.map(({ expr }) => expr)),
    ];
    expect(expressions.length).toBeGreaterThan(30);
    expect(isPromQl('rate(agent_stream_runs_ended_total[5m]')).toBe(false);
    expect(expressions.filter((expression) => !isPromQl(expression))).toEqual([]);
    const unknown = expressions.flatMap(listNames).filter((name) => !SERIES.has(name) && !LABELS.has(name));
    expect(unknown).toEqual([]);
    for (const expression of expressions)
      expect(listNames(expression).some((name) => SERIES.has(name))).toBe(true);
  });

  it('are all described on the page for operators', async () => {
    const page = await read('docs/production/observability.md');
    const names = Object.values(METRICS).map(({ name }) => name);
    expect(names.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
  });
});
