import { describe, expect, it } from '@jest/globals';
import { StreamResponse, Task } from '@a2a-js/sdk';
import * as fc from 'fast-check';
import type { RecordedEvent } from '../../events/recorded-event.js';
import type { RunEvent } from '../../events/run-event.js';
import { foldRun, type RunView } from '../../events/run-view.js';
import { continuedRuns, runLogs } from '../../testing/log.arbitrary.js';
import type { A2aTask, A2aUpdate } from './a2a.events.js';
import { A2aMapper } from './a2a.mapper.js';

const RUN = { taskId: 'run', contextId: 'thread', question: { messageId: 'q', text: 'Go.' }, createdAt: 0 };
const USAGE = { inputTokens: 1, outputTokens: 1, totalTokens: 2 };
const START: RunEvent = { type: 'run-start', agent: 'scripted', messageId: 'm' };

describe('A2aMapper', () => {
  it('tells a run as a task that works and an artifact that grows', () => {
    const updates = mapped(
      logOf([
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

  it('asks for input with the words of the approval', () => {
    const request = {
      type: 'approval-request',
      approvalId: 'a1',
      toolCallId: 'call-1',
      toolName: 'pay',
      stepId: 's1',
      label: 'Pay 5 €?',
      input: { sum: 5 },
    } as const;
    const end = { type: 'end', outcome: 'awaiting-approval', usage: USAGE, durationMs: 1 } as const;
    const [asked, ended] = mapped(logOf([request, end]));
    expect(asked).toMatchObject({ statusUpdate: { metadata: { 'approval-request': { approvalId: 'a1' } } } });
    expect(ended).toMatchObject({
      statusUpdate: {
        status: {
          state: 'TASK_STATE_INPUT_REQUIRED',
          message: {
            parts: [
              { text: 'Pay 5 €?' },
              { data: { approvalId: 'a1', toolName: 'pay', label: 'Pay 5 €?', input: { sum: 5 } } },
            ],
          },
        },
      },
    });
  });

  it('says, for any run, what the SDK reads as it was meant, and what adds up to the task', () => {
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

  it('is one task, however often it goes on after approvals', () => {
    fc.assert(
      fc.property(continuedRuns(), fc.nat(60), ({ before, approvals, log }, when) => {
        const mapper = new A2aMapper(RUN);
        for (const recorded of before) mapper.map(recorded);
        const waiting = mapper.task.status.message?.parts ?? [];
        const asked = waiting.flatMap((part) => ('data' in part ? [part.data['approvalId']] : []));
        expect(asked).toEqual(approvals.map(({ approvalId }) => approvalId));

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

function logOf(events: readonly RunEvent[]): RecordedEvent[] {
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

/** What a client knows that keeps artifacts as the specification says; of those that say nothing it need not know. */
function folded(task: A2aTask, updates: readonly A2aUpdate[]) {
  const artifacts = new Map(
    task.artifacts.map(({ artifactId, parts }) => [artifactId, parts.map(({ text }) => text).join('')]),
  );
  let { state } = task.status;
  for (const update of updates) {
    if ('statusUpdate' in update) state = update.statusUpdate.status.state;
    if (!('artifactUpdate' in update)) continue;
    const { artifact, append } = update.artifactUpdate;
    const text = artifact.parts.map((part) => part.text).join('');
    artifacts.set(artifact.artifactId, append ? `${artifacts.get(artifact.artifactId) ?? ''}${text}` : text);
  }
  return { artifacts: new Map([...artifacts].filter(([, text]) => text !== '')), state };
}

/** The same, as every other viewer sees it. */
function spoken({ runId, parts }: RunView): Map<string, string> {
  return new Map(
    parts.flatMap((part): [string, string][] =>
      part.kind === 'text' && part.text !== '' ? [[`${runId}-${part.partId}`, part.text]] : [],
    ),
  );
}
