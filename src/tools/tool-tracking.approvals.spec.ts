import { describe, expect, it } from '@jest/globals';
import type { ApprovalAnswer, GivenAnswer } from '../events/approval.js';
import type { ApprovalRequest } from '../events/run-event.js';
import type { Principal } from '../principal.js';
import { ApprovalPolicy, approvalIdOf } from './approval.policy.js';
import { SOMEBODY } from './tool.testing.js';
import { called, CALL, NotedRun, trackingOf, type Declared } from './tool-tracking.testing.js';

describe('a tracked call that has to be approved', () => {
  const DAY_MS = 86_400_000;
  const approvalId = approvalIdOf(CALL);
  const given = (answer: ApprovalAnswer): GivenAnswer => ({ ...answer, by: 'ada', at: 1 });
  const decided = (answer: ApprovalAnswer) => {
    const run = new NotedRun();
    run.decisions.set(approvalId, given(answer));
    return run;
  };
  const mustNotRun: Declared = { approval: true, execute: () => expect('the tool').toBe('not called') };

  it('asks, shows all of its input, and makes no call', async () => {
    const run = new NotedRun();
    const before = Date.now();
    const answer = await trackingOf({ ...mustNotRun, label: ({ city }) => `Going to ${city}…` }).call(
      CALL,
      run,
    );
    expect(answer).toEqual({ outcome: 'awaiting-approval', approvalId });
    expect(run.events).toEqual([
      {
        type: 'approval-request',
        approvalId,
        toolCallId: 'c1',
        toolName: 'weather',
        stepId: 's1',
        label: 'Going to Oslo…',
        input: CALL.args,
        expiresAt: expect.any(Number),
      },
    ]);
    const { expiresAt = 0 } = run.events[0] as ApprovalRequest;
    expect(expiresAt - before).toBeGreaterThanOrEqual(7 * DAY_MS);
  });

  it('asks for the calls that its author named, shows what may be seen, and expires when it says', async () => {
    const approval = {
      when: ({ city }: { city: string }, { userId }: Principal) =>
        city === 'Oslo' && userId === SOMEBODY.userId,
      shows: ['city'],
      expiresInMs: DAY_MS,
    };
    const run = new NotedRun();
    await trackingOf({ ...mustNotRun, approval }).call(CALL, run);
    expect(run.events).toMatchObject([{ type: 'approval-request', input: { city: 'Oslo' } }]);
    expect((run.events[0] as ApprovalRequest).expiresAt).toBeLessThan(Date.now() + 2 * DAY_MS);

    const other = { args: { city: 'Rome' } };
    const { answer } = await called({ approval, execute: () => 'sunny' }, { call: other });
    expect(answer).toEqual({ outcome: 'ok', content: 'sunny' });
  });

  it('asks when it cannot be told whether to ask', async () => {
    const when = () => {
      throw new Error('no policy');
    };
    const run = new NotedRun();
    await trackingOf({ ...mustNotRun, approval: { when } }).call(CALL, run);
    expect(run.events.map(({ type }) => type)).toEqual(['approval-request']);
  });

  it('asks also for tools that the module names, unless their authors have said what they want', async () => {
    const policy = new ApprovalPolicy({ tools: ['weather'], expiresInMs: 5 });
    const named = new NotedRun();
    await trackingOf({ execute: () => 1 }, policy).call(CALL, named);
    expect(named.events.map(({ type }) => type)).toEqual(['approval-request']);
    const exempt = new NotedRun();
    await trackingOf({ approval: false, execute: () => 1 }, policy).call(CALL, exempt);
    expect(exempt.events.map(({ type }) => type)).toEqual(['tool-start', 'tool-end']);
  });

  it('does not bother a person with a call that could not be made', async () => {
    const { end } = await called(mustNotRun, { call: { args: { city: 7 } } });
    expect(end.outcome).toBe('invalid-input');
    const roles = ['pilot'];
    expect((await called({ ...mustNotRun, roles })).end.outcome).toBe('denied');
  });

  it('is made once approved, and knows by whom', async () => {
    const seen: unknown[] = [];
    const execute: Declared['execute'] = (input, { approvedBy }) => void seen.push(input, approvedBy);
    const { end } = await called({ approval: true, execute }, { run: decided({ decision: 'approve' }) });
    expect(end.outcome).toBe('ok');
    expect(seen).toEqual([CALL.args, 'ada']);
  });

  it("is made with a person's arguments, checked like a model's, and the model is told of them", async () => {
    const execute: Declared['execute'] = ({ city }) => `sunny in ${city}`;
    const edited = await called(
      { approval: true, expose: { input: true }, execute },
      { run: decided({ decision: 'edit', input: { city: 'Bergen' } }) },
    );
    expect(edited.start.input).toEqual({ city: 'Bergen' });
    expect(edited.answer.content).toMatchObject({
      arguments: { city: 'Bergen' },
      result: 'sunny in Bergen',
    });
    const wrong = decided({ decision: 'edit', input: { city: 1 } });
    expect((await called(mustNotRun, { run: wrong })).end.outcome).toBe('invalid-input');
  });

  it('is not made once denied, and the model learns why', async () => {
    const run = decided({ decision: 'deny', reason: 'It rains.' });
    const { answer, start, end } = await called(mustNotRun, { run });
    expect(start.label).toBe('Looking outside…');
    expect(end).toMatchObject({ outcome: 'denied', error: { code: 'TOOL_DENIED' } });
    expect(end.error?.message).not.toContain('It rains.');
    expect(answer.content).toBe("The call of 'weather' was not approved. It rains.");
  });

  it('is asked for by itself: an answer to one call is none to another', async () => {
    const run = decided({ decision: 'approve' });
    for (const other of [{ toolCallId: 'c2' }, { stepId: 's2' }]) {
      const answer = await trackingOf(mustNotRun).call({ ...CALL, ...other }, run);
      expect(answer.outcome).toBe('awaiting-approval');
    }
  });

  it('is refused inside another tool, where the run cannot stop', async () => {
    const { answer, end } = await called(mustNotRun, { call: { nested: true } });
    expect(end).toMatchObject({ outcome: 'denied', error: { code: 'TOOL_DENIED' } });
    expect(answer.content).toMatch(/cannot be asked for inside another tool/);
  });
});
