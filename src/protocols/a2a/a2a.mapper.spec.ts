import { describe, expect, it } from '@jest/globals';
import { StreamResponse, Task } from '@a2a-js/sdk';
import * as fc from 'fast-check';
import type { RecordedEvent } from '../../events/recorded-event.js';
import type { RunEvent } from '../../events/run-event.js';
import { isInsideCall } from '../../events/subagent.js';
import { foldRun, type RunView } from '../../events/run-view.js';
import { continuedRuns, runLogs } from '../../../test/harness/log-arbitrary.js';
import type { A2aArtifact, A2aTask, A2aUpdate } from './a2a-events.js';
import { A2aMapper } from './a2a.mapper.js';

const RUN = { taskId: 'run', contextId: 'thread', question: { messageId: 'q', text: 'Go.' }, createdAt: 0 };
const USAGE = { inputTokens: 1, outputTokens: 1, totalTokens: 2 };
const START: RunEvent = { type: 'run-start', agent: 'scripted', messageId: 'm' };

describe('A2aMapper', () => {
  it('maps a run to a working task and a growing artifact', () => {
    const updates = mapped(
      toLog([
        START,
        { type: 'text-start', partId: 'p1', messageId: 'm', stepId: 's' },
        { type: 'text-delta', partId: 'p1', delta: 'Hel' },
        { type: 'text-delta', partId: 'p1', delta: 'lo.' },
        { type: 'text-end', partId: 'p1' },
        { type: 'tool-progress', toolCallId: 'call-1', message: 'Half way' },
        { type: 'end', outcome: 'completed', usage: USAGE, durationMs: 1 },
      ]),
    );
    const ids = { taskId: 'run', contextId: 'thread' };
    const chunk = (text: string, append: boolean, lastChunk = false) => ({
      artifactUpdate: {
        ...ids,
        artifact: { artifactId: 'run-p1', parts: text === '' ? [] : [{ text }] },
        append,
        lastChunk,
      },
    });
    const at = (ms: number) => new Date(ms).toISOString();
    expect(updates).toEqual([
      { statusUpdate: { ...ids, status: { state: 'TASK_STATE_WORKING', timestamp: at(0) } } },
      chunk('Hel', false),
      chunk('lo.', true),
      chunk('', true, true),
      {
        statusUpdate: {
          ...ids,
          status: { state: 'TASK_STATE_WORKING', timestamp: at(5) },
          metadata: { 'tool-progress': { toolCallId: 'call-1', message: 'Half way' } },
        },
      },
      { statusUpdate: { ...ids, status: { state: 'TASK_STATE_COMPLETED', timestamp: at(6) } } },
    ]);
  });

  it('asks for A2A input with the label and arguments of an approval', () => {
    const request = {
      type: 'input-request',
      kind: 'approval',
      inputId: 'a1',
      toolCallId: 'call-1',
      toolName: 'pay',
      stepId: 's1',
      label: 'Pay 5 €?',
      input: { sum: 5 },
    } as const;
    const end = { type: 'end', outcome: 'awaiting-input', usage: USAGE, durationMs: 1 } as const;
    const [asked, ended] = mapped(toLog([request, end]));
    expect(asked).toMatchObject({ statusUpdate: { metadata: { 'input-request': { inputId: 'a1' } } } });
    expect(ended).toMatchObject({
      statusUpdate: {
        status: {
          state: 'TASK_STATE_INPUT_REQUIRED',
          message: {
            parts: [
              { text: 'Pay 5 €?' },
              { data: { inputId: 'a1', toolName: 'pay', label: 'Pay 5 €?', input: { sum: 5 } } },
            ],
          },
        },
      },
    });
  });

  it('writes updates of any run that the SDK reads unchanged and that add up to the task', () => {
    fc.assert(
      fc.property(runLogs(), fc.nat(60), (log, when) => {
        const mapper = new A2aMapper(RUN);
        const updates = log.map((recorded) => mapper.map(recorded));
        for (const update of updates.flat())
          expect(StreamResponse.toJSON(StreamResponse.fromJSON(update))).toMatchObject(sparse(update));
        expect(Task.toJSON(Task.fromJSON(mapper.task))).toMatchObject(sparse(mapper.task));

        // Whoever takes a snapshot anywhere and what follows it has the whole, and has it once.
        const index = when % log.length;
        const early = new A2aMapper(RUN);
        for (const recorded of log.slice(0, index)) early.map(recorded);
        const seen = folded(early.task, updates.slice(index).flat());
        expect(seen).toEqual(folded(new A2aMapper(RUN).task, updates.flat()));
        expect(seen.artifacts).toEqual(spoken(foldRun('run', log)));
        expect(seen.state).toBe(mapper.task.status.state);
      }),
      { numRuns: 200 },
    );
  });

  it('maps a run and its continuations after approvals to one task', () => {
    fc.assert(
      fc.property(continuedRuns(), fc.nat(60), ({ before, inputs, log }, when) => {
        const mapper = new A2aMapper(RUN);
        for (const recorded of before) mapper.map(recorded);
        const waiting = mapper.task.status.message?.parts ?? [];
        const asked = waiting.flatMap((part) => ('data' in part ? [part.data['inputId']] : []));
        expect(asked).toEqual(inputs.map(({ inputId }) => inputId));

        const early = log.slice(0, when % log.length).flatMap((recorded) => mapper.map(recorded));
        const joined = mapper.task;
        const late = log.slice(when % log.length).flatMap((recorded) => mapper.map(recorded));
        const all = new Map([...spoken(foldRun('run', before)), ...spoken(foldRun('next', log))]);
        expect(folded(joined, late).artifacts).toEqual(all);
        for (const update of [...early, ...late])
          expect(StreamResponse.toJSON(StreamResponse.fromJSON(update))).toMatchObject(sparse(update));
      }),
    );
  });
});

function toLog(events: readonly RunEvent[]): RecordedEvent[] {
  const common = { runId: 'run', threadId: 'thread', epoch: 1 };
  return events.map((event, index) => ({ ...common, seq: index + 1, at: index, event }));
}

function mapped(log: readonly RecordedEvent[]): A2aUpdate[] {
  const mapper = new A2aMapper(RUN);
  return log.flatMap((recorded) => mapper.map(recorded));
}

/** As the SDK writes it: without what is empty or false, which is what an absent field means. */
function sparse(value: object): object {
  const isDefault = (field: unknown) => field === false || (Array.isArray(field) && field.length === 0);
  const json = JSON.stringify(value, (name, field: unknown) =>
    ['append', 'lastChunk', 'artifacts', 'parts'].includes(name) && isDefault(field) ? undefined : field,
  );
  return JSON.parse(json) as object;
}

/** A file counts as its address. */
function readPart(part: A2aArtifact['parts'][number]): string {
  return 'text' in part ? part.text : part.url;
}

/** Folds the updates as a client that keeps artifacts according to the specification. */
function folded(task: A2aTask, updates: readonly A2aUpdate[]) {
  const artifacts = new Map(
    task.artifacts.map(({ artifactId, parts }) => [artifactId, parts.map(readPart).join('')]),
  );
  let { state } = task.status;
  for (const update of updates) {
    if ('statusUpdate' in update) state = update.statusUpdate.status.state;
    if (!('artifactUpdate' in update)) continue;
    const { artifact, append } = update.artifactUpdate;
    const text = artifact.parts.map(readPart).join('');
    artifacts.set(artifact.artifactId, append ? `${artifacts.get(artifact.artifactId) ?? ''}${text}` : text);
  }
  return { artifacts: new Map([...artifacts].filter(([, text]) => text !== '')), state };
}

/** The same, as every other viewer sees it. */
function spoken({ runId, parts }: RunView): Map<string, string> {
  return new Map(
    parts.flatMap((part): [string, string][] => {
      if ((part.kind !== 'text' && part.kind !== 'file') || isInsideCall(part)) return [];
      const isOfCall = part.kind === 'file' && part.toolCallId !== undefined;
      const said = part.kind === 'text' ? part.text : isOfCall ? '' : (part.url ?? '');
      return said === '' ? [] : [[`${runId}-${part.partId}`, said]];
    }),
  );
}
