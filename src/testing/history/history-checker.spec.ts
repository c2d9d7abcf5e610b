import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { RecordedEvent } from '../../events/recorded-event.js';
import type { RunEvent } from '../../events/run-event.js';
import { checkHistory } from './history-checker.js';
import type { AnomalyName, Connection, ObservedFrame, RunHistory } from './history.js';
import { cleanHistory } from './history.testing.js';

/** Makes a clean history wrong in one way, at a place that `pick` chooses; undefined when it has no such place. */
type Plant = (history: RunHistory, pick: (count: number) => number) => RunHistory | undefined;

type EventFrame = Extract<ObservedFrame, { kind: 'event' }>;

describe('checkHistory', () => {
  it('finds no anomaly in a correct history', () => {
    fc.assert(
      fc.property(cleanHistory, (history) => {
        expect(checkHistory(history)).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
  });

  it('accepts a reader that left by itself before the end', () => {
    const [history] = fc.sample(cleanHistory, 1) as [RunHistory];
    const readers = [{ name: 'impatient', connections: [{ frames: [] }], left: true }];
    expect(checkHistory({ ...history, readers })).toEqual([]);
  });

  const plants: Record<AnomalyName, Plant[]> = {
    'lost-write': [
      (history, pick) => ({ ...history, log: without(history.log, pick(history.log.length)) }),
      (history) => ({ ...history, log: history.log.slice(0, -1) }),
    ],
    duplicate: [inStream((frames, at) => [...frames.slice(0, at + 1), ...frames.slice(at)])],
    'poll-skip': [inStream((frames, at) => without(frames, at), { notLast: true })],
    'nonmonotonic-poll': [
      inStream(
        (frames, at) => [
          ...frames.slice(0, at),
          ...frames.slice(at, at + 2).reverse(),
          ...frames.slice(at + 2),
        ],
        {
          notLast: true,
        },
      ),
      askedForMore,
    ],
    'inconsistent-offsets': [
      inStream((frames, at) => frames.with(at, changed(frames[at] as EventFrame))),
      (history, pick) => {
        const at = pick(history.log.length);
        const { recorded } = changed({ kind: 'event', recorded: history.log[at] as RecordedEvent });
        return { ...history, acknowledged: [recorded] };
      },
    ],
    'divergent-view': [missesLastWord],
    'no-end': [
      (history) => inReader(history, 0, (connections) => connections.slice(0, -1)),
      (history) => ({ ...history, log: history.log.slice(0, -1) }),
    ],
    'stream-cut': [
      (history) =>
        history.readers.some(({ connections }) => connections.length > 1)
          ? { ...history, outages: [] }
          : undefined,
      (history) => inReader(history, 0, (connections) => cutBefore(connections)),
    ],
    'many-ends': [(history) => ({ ...history, log: renumbered([...history.log, history.log.at(-1)!]) })],
    'after-end': [
      (history, pick) => ({
        ...history,
        log: renumbered([...history.log, history.log[pick(history.log.length)]!]),
      }),
    ],
    'epoch-order': [
      (history, pick) => {
        const places = listPlaces(
          history.log,
          ({ epoch }, index) => epoch > 1 && index < history.log.length - 1,
        );
        if (places.length === 0) return undefined;
        const at = places[pick(places.length)]! + 1;
        return { ...history, log: history.log.with(at, { ...history.log[at]!, epoch: 1 }) };
      },
    ],
    'missing-resume': [dropEvents('run-resume')],
    'missing-step-reset': [dropEvents('step-reset')],
    'unclosed-item': [dropEvents('text-end'), dropEvents('tool-end'), dropLastStepEnd],
    'stray-item': [dropEvents('text-start'), dropEvents('tool-start')],
    'final-text': [
      // Other words, a message that was not shown, one that the agent no longer has, and another order.
      changeMessages((messages, at) => messages.with(at, `${messages[at]}!`)),
      changeMessages((messages, at) => messages.toSpliced(at, 0, 'Never shown.')),
      changeMessages((messages, at) => messages.toSpliced(at, 1)),
      changeMessages((messages) => (new Set(messages).size > 1 ? messages.toReversed() : undefined)),
    ],
  };

  for (const [name, variants] of Object.entries(plants)) {
    for (const [index, plant] of variants.entries()) {
      it(`finds ${name} when it is planted in a correct history (${index + 1})`, () => {
        fc.assert(
          fc.property(cleanHistory, fc.nat(), (history, number) => {
            const planted = plant(history, (count) => number % count);
            fc.pre(planted !== undefined);
            const found = checkHistory(planted).map((anomaly) => anomaly.name);
            expect(found).toContain(name);
          }),
          { numRuns: 200 },
        );
      });
    }
  }
});

/** Changes what the agent remembers. */
function changeMessages(
  change: (messages: readonly string[], at: number) => readonly string[] | undefined,
): Plant {
  return (history, pick) => {
    const { agentMessages = [] } = history;
    const changed = change(agentMessages, pick(agentMessages.length));
    return changed && { ...history, agentMessages: changed };
  };
}

/** Puts a connection in front that breaks at a quiet time, before the reader got anything. */
function cutBefore(connections: readonly Connection[]): readonly Connection[] {
  return [{ frames: [{ kind: 'ready' }], closed: { by: 'other', at: 1 } }, ...connections];
}

/** Changes the frames of one connection, at one of its events. */
function inStream(
  change: (frames: readonly ObservedFrame[], at: number) => ObservedFrame[],
  { notLast = false }: { readonly notLast?: boolean } = {},
): Plant {
  return (history, pick) =>
    inReader(history, pick(history.readers.length), (connections) => {
      const places = connections.flatMap(({ frames }, connection) =>
        frames.flatMap((frame, at) => {
          const fits = frame.kind === 'event' && !(notLast && at === frames.length - 1);
          return fits ? [{ connection, at }] : [];
        }),
      );
      const place = places[pick(Math.max(places.length, 1))];
      if (!place) return undefined;
      const old = connections[place.connection] as Connection;
      return connections.with(place.connection, { ...old, frames: change(old.frames, place.at) });
    });
}

function inReader(
  history: RunHistory,
  index: number,
  change: (connections: readonly Connection[]) => readonly Connection[] | undefined,
): RunHistory | undefined {
  const reader = history.readers[index]!;
  const connections = change(reader.connections);
  return connections && { ...history, readers: history.readers.with(index, { ...reader, connections }) };
}

/** The reader had more than the server gave it credit for. */
function askedForMore(history: RunHistory): RunHistory | undefined {
  return inReader(history, 0, ([first, ...others]) => {
    const frame = first?.frames.find((each) => each.kind === 'event');
    if (!first || !frame) return undefined;
    return [
      { ...first, after: { runId: 'r', epoch: frame.recorded.epoch, seq: frame.recorded.seq } },
      ...others,
    ];
  });
}

/** A word that nothing takes back later. */
function missesLastWord(history: RunHistory): RunHistory | undefined {
  const isWord = (frame: ObservedFrame) =>
    frame.kind === 'event' && frame.recorded.event.type === 'text-delta';
  return inReader(history, 0, (connections) => {
    const index = connections.findLastIndex(({ frames }) => frames.some(isWord));
    const old = connections[index] as Connection;
    return connections.with(index, { ...old, frames: without(old.frames, old.frames.findLastIndex(isWord)) });
  });
}

function changed({ recorded }: EventFrame): EventFrame {
  return { kind: 'event', recorded: { ...recorded, event: { type: 'custom', name: 'other', data: 1 } } };
}

/** A log in which the first event of that type was never written: whoever wrote it numbered without it. */
function dropEvents(type: RunEvent['type']): Plant {
  return (history, pick) => {
    const places = listPlaces(history.log, ({ event }) => event.type === type);
    // The last of a kind is one that counts: a superseded attempt takes its parts along, and an owner that dies as soon as it
    // has announced itself leaves no other trace.
    const candidates = type === 'step-reset' ? places : places.slice(-1);
    const at = candidates[pick(Math.max(candidates.length, 1))];
    return at === undefined ? undefined : { ...history, log: renumbered(without(history.log, at)) };
  };
}

function dropLastStepEnd(history: RunHistory): RunHistory {
  const at = history.log.findLastIndex(({ event }) => event.type === 'step-end');
  return { ...history, log: renumbered(without(history.log, at)) };
}

function listPlaces(
  log: readonly RecordedEvent[],
  fits: (recorded: RecordedEvent, index: number) => boolean,
): number[] {
  return log.flatMap((recorded, index) => (fits(recorded, index) ? [index] : []));
}

function renumbered(log: readonly RecordedEvent[]): RecordedEvent[] {
  return log.map((recorded, index) => ({ ...recorded, seq: index + 1 }));
}

function without<Item>(items: readonly Item[], index: number): Item[] {
  return items.filter((_, each) => each !== index);
}
