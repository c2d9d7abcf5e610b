import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { RunEvent } from '../../events/run-event.js';
import { foldRun, getText } from '../../events/run-view.js';
import { NOTHING_OPEN, trackOpen } from '../../runs/open-items.js';
import { recordedAll } from '../../runs/run.testing.js';
import type { GraphFact } from './graph-fact.js';
import { LangGraphMapper } from './langgraph.mapper.js';
import { getStepId, listSteps } from './named-steps.js';

function mapAll(facts: readonly GraphFact[]): RunEvent[] {
  const mapper = new LangGraphMapper({ messageId: 'm', attempt: 1 });
  return facts.flatMap((fact) => mapper.map(fact));
}

const token = (modelCallId: string, namespace: string, text: string, reasoning = ''): GraphFact => ({
  kind: 'token',
  modelCallId,
  namespace,
  words: { text, reasoning },
});
const started = (namespace: string): GraphFact => ({ kind: 'step-started', namespace });
const finished = (stepId: string): GraphFact => ({ kind: 'step-finished', stepId });
const said = (events: readonly RunEvent[]) => getText(foldRun('run', recordedAll(events)));
const short = (events: readonly RunEvent[]) =>
  events.map((event) => {
    if ('delta' in event) return event.delta;
    return 'stepId' in event ? `${event.type} ${event.stepId}` : event.type;
  });

describe('LangGraphMapper', () => {
  it('starts a step once, at the first fact about it, and ends it once', () => {
    const events = mapAll([
      token('a', 'model:t1', 'Hi'),
      started('model:t1'),
      started('model:t1'),
      finished('t1'),
    ]);
    expect(events).toEqual([
      { type: 'step-start', stepId: 't1', name: 'model', attempt: 1 },
      { type: 'text-start', partId: 'p1-1', messageId: 'm', stepId: 't1' },
      { type: 'text-delta', partId: 'p1-1', delta: 'Hi' },
      { type: 'text-end', partId: 'p1-1' },
      { type: 'step-end', stepId: 't1', name: 'model', attempt: 1 },
    ]);
  });

  it('starts outer steps before inner ones and ends them after', () => {
    const events = mapAll([started('outer:t1|inner:t2'), finished('t1'), finished('t2')]);
    expect(short(events)).toEqual(['step-start t1', 'step-start t2', 'step-end t2', 'step-end t1']);
    expect(events[1]).toMatchObject({ parentStepId: 't1' });
  });

  it('keeps reasoning and text apart, in the order in which they came', () => {
    const events = mapAll([
      token('a', 'n:t', '', 'hm'),
      token('a', 'n:t', 'so', '.'),
      token('a', 'n:t', '!'),
    ]);
    expect(short(events)).toEqual([
      'step-start t',
      'reasoning-start t',
      'hm',
      '.',
      'reasoning-end',
      'text-start t',
      'so',
      '!',
    ]);
  });

  it('keeps the texts of models that stream at the same time apart', () => {
    const events = mapAll([token('a', 'n:t', 'A1 '), token('b', 'n:t', 'B1 '), token('a', 'n:t', 'A2 ')]);
    const texts = foldRun('run', recordedAll(events)).parts.map((part) =>
      part.kind === 'text' ? part.text : '',
    );
    expect(texts).toEqual(['A1 A2 ', 'B1 ']);
  });

  it('supersedes the text of a failed model call once the call is made again', () => {
    const failed: GraphFact[] = [
      token('a', 'n:t', 'Half'),
      { kind: 'model-failed', modelCallId: 'a', namespace: 'n:t' },
    ];
    expect(said(mapAll(failed))).toBe('Half');
    const retried = mapAll([...failed, token('b', 'n:t', 'Whole')]);
    expect(said(retried)).toBe('Whole');
    expect(retried).toContainEqual({ type: 'step-reset', stepId: 't', attempt: 1, reason: 'retry' });
  });

  it('reports a model call that has failed', () => {
    const usage = { inputTokens: 0, outputTokens: 0, totalTokens: 0, model: 'x', failed: true } as const;
    const events = mapAll([
      token('a', 'n:t', 'Half'),
      { kind: 'model-failed', modelCallId: 'a', namespace: 'n:t', usage },
    ]);
    expect(events.slice(-2)).toEqual([
      { type: 'text-end', partId: 'p1-1' },
      { type: 'usage', ...usage, stepId: 't' },
    ]);
  });

  it('supersedes the text of a failed step once it runs again, even if its model did not fail', () => {
    const failed: GraphFact[] = [
      token('a', 'n:t', 'One'),
      { kind: 'model-finished', modelCallId: 'a', namespace: 'n:t' },
      { kind: 'step-failed', stepId: 't' },
    ];
    expect(said(mapAll(failed))).toBe('One');
    expect(said(mapAll([...failed, token('b', 'n:t', 'Two')]))).toBe('Two');
  });

  it('keeps the text of a model when another one beside it fails', () => {
    const events = mapAll([
      token('a', 'n:t', 'A1 '),
      token('b', 'n:t', 'B1 '),
      { kind: 'model-failed', modelCallId: 'b', namespace: 'n:t' },
      token('c', 'n:t', 'C1 '),
      token('a', 'n:t', 'A2 '),
    ]);
    expect(said(events)).toContain('A1 A2 ');
  });

  it('ignores facts that arrive after their step has ended', () => {
    const events = mapAll([
      started('n:t'),
      finished('t'),
      token('a', 'n:t', 'late'),
      token('b', 'n:t|inner:u', 'late'),
      started('n:t|inner:v'),
    ]);
    expect(short(events)).toEqual(['step-start t', 'step-end t']);
  });

  it('reports the tokens of a model call, even of one without text', () => {
    const usage = { inputTokens: 1, outputTokens: 2, totalTokens: 3, model: 'x' };
    const events = mapAll([{ kind: 'model-finished', modelCallId: 'a', namespace: 'n:t', usage }]);
    expect(events.at(-1)).toEqual({ type: 'usage', ...usage, stepId: 't' });
  });

  it.each([
    [
      { name: 'chart', data: [1] },
      { name: 'chart', data: [1] },
    ],
    [
      { type: 'chart', rows: 1 },
      { name: 'chart', data: { type: 'chart', rows: 1 } },
    ],
    ['text', { name: 'custom', data: 'text' }],
    [null, { name: 'custom', data: null }],
  ])('names custom data that a graph writes: %j', (value, expected) => {
    expect(mapAll([{ kind: 'written', namespace: '', value }])).toEqual([{ type: 'custom', ...expected }]);
  });

  it('parses a namespace into its steps', () => {
    expect(listSteps('')).toEqual([]);
    expect(listSteps('a:1|b:c:2')).toEqual([
      { name: 'a', stepId: '1' },
      { name: 'b:c', stepId: '2' },
    ]);
    expect(getStepId('a:1|b:2')).toBe('2');
  });

  it('keeps the rules of the event protocol for graph facts in any order', () => {
    const namespaces = fc.constantFrom('n:1', 'n:2', 'n:1|i:3', 'n:1|i:4', 'n:2|i:5|j:6');
    const calls = fc.constantFrom('a', 'b', 'c');
    const facts = fc.oneof(
      {
        weight: 5,
        arbitrary: fc
          .tuple(calls, namespaces, fc.string(), fc.constantFrom('', '', 'r'))
          .map((all) => token(...all)),
      },
      namespaces.map(started),
      fc.constantFrom('1', '2', '3', '4', '5', '6', '7').map(finished),
      fc
        .tuple(calls, namespaces)
        .map(([modelCallId, namespace]): GraphFact => ({ kind: 'model-finished', modelCallId, namespace })),
      fc
        .tuple(calls, namespaces)
        .map(([modelCallId, namespace]): GraphFact => ({ kind: 'model-failed', modelCallId, namespace })),
      fc.constantFrom('1', '2', '3').map((stepId): GraphFact => ({ kind: 'step-failed', stepId })),
    );
    fc.assert(
      fc.property(fc.array(facts, { maxLength: 40 }), (told) => {
        // A model call is made in one place.
        const homes = new Map<string, string>();
        const valid = told.map((fact) => {
          if (!('modelCallId' in fact) || !('namespace' in fact)) return fact;
          const namespace = homes.get(fact.modelCallId) ?? fact.namespace;
          homes.set(fact.modelCallId, namespace);
          return { ...fact, namespace };
        });
        let open = NOTHING_OPEN;
        for (const event of mapAll(valid)) {
          const steps = open.steps.map(({ stepId }) => stepId);
          if (event.type === 'step-start') expect(steps).not.toContain(event.stepId);
          if (event.type === 'step-start' && event.parentStepId) expect(steps).toContain(event.parentStepId);
          if (event.type === 'text-start' || event.type === 'reasoning-start')
            expect(steps).toContain(event.stepId);
          if ('delta' in event) expect(open.parts.map(({ partId }) => partId)).toContain(event.partId);
          if (event.type === 'step-end') {
            const { stepId } = event;
            expect(steps).toContain(stepId);
            expect(open.parts.filter((part) => part.stepId === stepId)).toEqual([]);
            expect(open.steps.filter((step) => step.parentStepId === stepId)).toEqual([]);
          }
          open = trackOpen(open, event, 0);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
