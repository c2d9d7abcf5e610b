import { describe, expect, it } from '@jest/globals';
import type { ApprovalDecision } from '../events/requested-input.js';
import type { ApprovalRequest } from '../events/run-event.js';
import type { Principal } from '../principal.js';
import { ApprovalPolicy, toInputId } from './approval.policy.js';
import { SOMEBODY } from './tool.testing.js';
import { called, CALL, NotedRun, createTracking, type Declared } from './tool-tracking.testing.js';

describe('ToolTrackingService with tools that need approval', () => {
  const DAY_MS = 86_400_000;
  const inputId = toInputId(CALL);
  const decided = (answer: ApprovalDecision) => {
    const run = new NotedRun();
    const { toolCallId, toolName, stepId, args: input } = CALL;
    const asked = { inputId, kind: 'approval', toolCallId, toolName, stepId, label: '', input } as const;
    run.decisions.set(inputId, { ...asked, answer: { ...answer, by: 'ada', at: 1 } });
    return run;
  };
  const mustNotRun: Declared = { approval: true, execute: () => expect('the tool').toBe('not called') };

  it('asks for approval with the whole input of a call and does not make it', async () => {
    const run = new NotedRun();
    const before = Date.now();
    const answer = await createTracking({ ...mustNotRun, label: ({ city }) => `Going to ${city}…` }).call(
      CALL,
      run,
    );
    expect(answer).toEqual({ outcome: 'awaiting-input', inputId });
    expect(run.events).toEqual([
      {
        type: 'input-request',
        kind: 'approval',
        inputId,
        toolCallId: 'c1',
        toolName: 'weather',
        stepId: 's1',
        label: 'Going to Oslo…',
        input: CALL.args,
        schema: {
          type: 'object',
          properties: { city: { type: 'string' }, secret: { type: 'string' } },
          required: ['city'],
        },
        expiresAt: expect.any(Number),
      },
    ]);
    const { expiresAt = 0 } = run.events[0] as ApprovalRequest;
    expect(expiresAt - before).toBeGreaterThanOrEqual(7 * DAY_MS);
  });

  it("asks for approval when the tool's condition holds, with the fields and expiry that it names", async () => {
    const approval = {
      when: ({ city }: { city: string }, { userId }: Principal) =>
        city === 'Oslo' && userId === SOMEBODY.userId,
      shows: ['city'],
      expiresInMs: DAY_MS,
    };
    const run = new NotedRun();
    await createTracking({ ...mustNotRun, approval }).call(CALL, run);
    expect(run.events).toMatchObject([{ type: 'input-request', kind: 'approval', input: { city: 'Oslo' } }]);
    expect((run.events[0] as ApprovalRequest).expiresAt).toBeLessThan(Date.now() + 2 * DAY_MS);

    const other = { args: { city: 'Rome' } };
    const { answer } = await called({ approval, execute: () => 'sunny' }, { call: other });
    expect(answer).toEqual({ outcome: 'ok', content: 'sunny' });
  });

  it('asks for approval when the condition throws', async () => {
    const when = () => {
      throw new Error('no policy');
    };
    const run = new NotedRun();
    await createTracking({ ...mustNotRun, approval: { when } }).call(CALL, run);
    expect(run.events.map(({ type }) => type)).toEqual(['input-request']);
  });

  it('asks for approval of tools that the policy names, unless a tool says otherwise', async () => {
    const policy = new ApprovalPolicy({ tools: ['weather'], expiresInMs: 5 });
    const named = new NotedRun();
    await createTracking({ execute: () => 1 }, policy).call(CALL, named);
    expect(named.events.map(({ type }) => type)).toEqual(['input-request']);
    const exempt = new NotedRun();
    await createTracking({ approval: false, execute: () => 1 }, policy).call(CALL, exempt);
    expect(exempt.events.map(({ type }) => type)).toEqual(['tool-start', 'tool-end']);
  });

  it('does not ask for approval of a call with invalid input or a missing role', async () => {
    const { end } = await called(mustNotRun, { call: { args: { city: 7 } } });
    expect(end.outcome).toBe('invalid-input');
    const roles = ['pilot'];
    expect((await called({ ...mustNotRun, roles })).end.outcome).toBe('denied');
  });

  it('makes an approved call and tells the tool who approved it', async () => {
    const seen: unknown[] = [];
    const execute: Declared['execute'] = (input, { approvedBy }) => void seen.push(input, approvedBy);
    const { end } = await called({ approval: true, execute }, { run: decided({ decision: 'approve' }) });
    expect(end.outcome).toBe('ok');
    expect(seen).toEqual([CALL.args, 'ada']);
  });

  it('makes a call with edited arguments, validates them and tells the model about them', async () => {
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

  it('does not make a denied call and tells the model the reason', async () => {
    const run = decided({ decision: 'deny', reason: 'It rains.' });
    const { answer, start, end } = await called(mustNotRun, { run });
    expect(start.label).toBe('Looking outside…');
    expect(end).toMatchObject({ outcome: 'denied', error: { code: 'TOOL_DENIED' } });
    expect(end.error?.message).not.toContain('It rains.');
    expect(answer.content).toBe("The call of 'weather' was not approved. It rains.");
  });

  it('asks for approval of each call separately, even if another was approved', async () => {
    const run = decided({ decision: 'approve' });
    for (const other of [{ toolCallId: 'c2' }, { stepId: 's2' }]) {
      const answer = await createTracking(mustNotRun).call({ ...CALL, ...other }, run);
      expect(answer.outcome).toBe('awaiting-input');
    }
  });

  it('refuses a call that needs approval inside another tool, where the run cannot stop', async () => {
    const { answer, end } = await called(mustNotRun, { call: { nested: true } });
    expect(end).toMatchObject({ outcome: 'denied', error: { code: 'TOOL_DENIED' } });
    expect(answer.content).toMatch(/cannot be asked for inside another tool/);
  });
});
