import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { RunEvent } from '../../events/run-event.js';
import { foldRun, textOf } from '../../events/run-view.js';
import { NOTHING_OPEN, trackOpen } from '../../runs/open-items.js';
import { recordedAll } from '../../runs/run.testing.js';
import { LangGraphMapper, stepIdOf, stepsOf, type GraphFact } from './langgraph.mapper.js';

function eventsOf(facts: readonly GraphFact[]): RunEvent[] {
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
const said = (events: readonly RunEvent[]) => textOf(foldRun('run', recordedAll(events)));
const short = (events: readonly RunEvent[]) =>
  events.map((event) => {
    if ('delta' in event) return event.delta;
    return 'stepId' in event ? `${event.type} ${event.stepId}` : event.type;
  });

describe('the LangGraph mapper', () => {
  it('starts a step with whatever is heard of it first, and once', () => {
    const events = eventsOf([
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
    const events = eventsOf([started('outer:t1|inner:t2'), finished('t1'), finished('t2')]);
    expect(short(events)).toEqual(['step-start t1', 'step-start t2', 'step-end t2', 'step-end t1']);
    expect(events[1]).toMatchObject({ parentStepId: 't1' });
  });

  it('keeps reasoning and text apart, in the order in which they came', () => {
    const events = eventsOf([
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

  it('keeps the words of models that speak at the same time apart', () => {
    const events = eventsOf([token('a', 'n:t', 'A1 '), token('b', 'n:t', 'B1 '), token('a', 'n:t', 'A2 ')]);
    const texts = foldRun('run', recordedAll(events)).parts.map((part) =>
      part.kind === 'text' ? part.text : '',
    );
    expect(texts).toEqual(['A1 A2 ', 'B1 ']);
  });

  it('supersedes what a model call has said that failed and was made again, and only then', () => {
    const failed: GraphFact[] = [token('a', 'n:t', 'Half'), { kind: 'model-failed', modelCallId: 'a' }];
    expect(said(eventsOf(failed))).toBe('Half');
    const retried = eventsOf([...failed, token('b', 'n:t', 'Whole')]);
    expect(said(retried)).toBe('Whole');
    expect(retried).toContainEqual({ type: 'step-reset', stepId: 't', attempt: 1, reason: 'retry' });
  });

  it('supersedes what a step has said that failed and was run again, also when its model did not fail', () => {
    const failed: GraphFact[] = [
      token('a', 'n:t', 'One'),
      { kind: 'model-finished', modelCallId: 'a', namespace: 'n:t' },
      { kind: 'step-failed', stepId: 't' },
    ];
    expect(said(eventsOf(failed))).toBe('One');
    expect(said(eventsOf([...failed, token('b', 'n:t', 'Two')]))).toBe('Two');
  });

  it('takes no words of another model with it when one that spoke beside it has failed', () => {
    const events = eventsOf([
      token('a', 'n:t', 'A1 '),
      token('b', 'n:t', 'B1 '),
      { kind: 'model-failed', modelCallId: 'b' },
      token('c', 'n:t', 'C1 '),
      token('a', 'n:t', 'A2 '),
    ]);
    expect(said(events)).toContain('A1 A2 ');
  });

  it('says nothing of what outlived its step', () => {
    const events = eventsOf([
      started('n:t'),
      finished('t'),
      token('a', 'n:t', 'late'),
      token('b', 'n:t|inner:u', 'late'),
      started('n:t|inner:v'),
    ]);
    expect(short(events)).toEqual(['step-start t', 'step-end t']);
  });

  it('reports the tokens of a model call, also of one that said nothing', () => {
    const usage = { inputTokens: 1, outputTokens: 2, totalTokens: 3, model: 'x' };
    const events = eventsOf([{ kind: 'model-finished', modelCallId: 'a', namespace: 'n:t', usage }]);
    expect(events.at(-1)).toEqual({ type: 'usage', ...usage });
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
  ])('names what a graph has written: %j', (value, expected) => {
    expect(eventsOf([{ kind: 'written', value }])).toEqual([{ type: 'custom', ...expected }]);
  });

  it('reads a namespace', () => {
    expect(stepsOf('')).toEqual([]);
    expect(stepsOf('a:1|b:c:2')).toEqual([
      { name: 'a', stepId: '1' },
      { name: 'b:c', stepId: '2' },
    ]);
    expect(stepIdOf('a:1|b:2')).toBe('2');
  });

  it('follows the rules of the protocol, whatever a graph tells in whatever order, and loses no word of an open step', () => {
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
      calls.map((modelCallId): GraphFact => ({ kind: 'model-failed', modelCallId })),
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
        for (const event of eventsOf(valid)) {
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
