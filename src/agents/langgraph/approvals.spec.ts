import { afterEach, describe, expect, it } from '@jest/globals';
import type { ApprovalDecision } from '../../events/requested-input.js';
import type { RecordedEvent } from '../../events/recorded-event.js';
import type { ApprovalRequest, RunEvent } from '../../events/run-event.js';
import { foldRun, getText } from '../../events/run-view.js';
import { ADA } from '../../runs/run.testing.js';
import type { Tool } from '../../tools/agent-tool.js';
import {
  call,
  chat,
  closeStacks,
  expectValid,
  hang,
  noteTool,
  openStorage,
  reached,
  scripted,
  stackWith,
  toolEnds,
  NOTE,
  type Stack,
} from './langgraph-stack.testing.js';
import { findToolMessages } from './langgraph.testing.js';

/** Calls these tools at once, and then says what they were answered. */
const calling = (...calls: ReturnType<typeof call>[]) =>
  scripted((messages) => {
    const answers = findToolMessages(messages);
    return answers.length === 0
      ? { chunks: ['Let me see.'], calls }
      : { chunks: [answers.map(({ tool_call_id: id, text }) => `${id}: ${text}`).join('; ')] };
  });

const pay = (
  execute: Tool<typeof NOTE>['execute'] = ({ note }) => `paid ${note}`,
  more: Partial<Tool<typeof NOTE>> = {},
) => ({
  ...noteTool('pay', execute),
  approval: true,
  ...more,
});

const order = [
  call('c1', 'pay', '{"note":"5"}'),
  call('c2', 'look'),
  call('c3', 'pay', '{"note":"7"}'),
] as const;

const requestsIn = (log: readonly RecordedEvent[]) =>
  log.flatMap(({ event }): ApprovalRequest[] =>
    event.type === 'input-request' && event.kind === 'approval' ? [event] : [],
  );

const typesIn = (log: readonly RecordedEvent[]) => log.map(({ event }) => event.type);

/** Asks, and waits until the run has stopped for its approvals. */
async function stopped(stack: Stack) {
  const { id, threadId } = await stack.ask('Pay!');
  const log = await stack.readLog(id);
  expectValid(log);
  expect(log.at(-1)?.event).toMatchObject({ outcome: 'awaiting-input' });
  return { id, threadId, log, requests: requestsIn(log) };
}

async function decide(
  stack: Stack,
  { id, requests }: { readonly id: string; readonly requests: readonly ApprovalRequest[] },
  ...answers: readonly ApprovalDecision[]
) {
  const byId = Object.fromEntries(requests.map(({ inputId }, index) => [inputId, answers[index]!]));
  const { continuedBy } = await stack.inputs.answer(ADA, id, byId);
  const next = continuedBy!.id;
  const log = await stack.readLog(next);
  expectValid(log);
  return { id: next, log, text: getText(foldRun(next, log)) };
}

describe('tool calls that need approval', () => {
  afterEach(closeStacks);

  it('stops the run for calls that need approval and makes the other calls of the same step', async () => {
    const paid: string[] = [];
    const tools = [pay(({ note }) => void paid.push(note)), noteTool('look', () => 'seen')];
    const stack = await stackWith(chat(calling(...order)), { tools });
    const { id, log, requests } = await stopped(stack);
    expect(paid).toEqual([]);
    expect(toolEnds(log)).toEqual(['c2 ok']);
    expect(requests.map(({ toolCallId, input }) => [toolCallId, input])).toEqual([
      ['c1', { note: '5' }],
      ['c3', { note: '7' }],
    ]);
    const run = await stack.runs.get(ADA, id);
    expect(run).toMatchObject({
      status: 'awaiting-input',
      inputs: requests.map(({ inputId }) => ({ inputId })),
    });
  });

  it('makes an approved call and still makes its siblings when one call is denied', async () => {
    const stack = await stackWith(chat(calling(...order)), {
      tools: [pay(), noteTool('look', () => 'seen')],
    });
    const first = await stopped(stack);
    const next = await decide(
      stack,
      first,
      { decision: 'approve' },
      { decision: 'deny', reason: 'Too much.' },
    );

    const { event: start } = next.log[0]!;
    expect(start).toMatchObject({ type: 'run-start', resumeOf: first.id });
    expect(start).toMatchObject({ messageId: (first.log[0]!.event as { messageId: string }).messageId });
    expect(typesIn(next.log).slice(1, 3)).toEqual(['input-answer', 'input-answer']);
    expect(toolEnds(next.log).toSorted()).toEqual(['c1 ok', 'c3 denied']);
    expect(next.text).toBe("c1: paid 5; c2: seen; c3: The call of 'pay' was not approved. Too much.");
    // What was done in the first run is neither done nor told again.
    const steps = (log: readonly RecordedEvent[]) =>
      log.flatMap(({ event }) => (event.type === 'step-start' ? [event.name] : []));
    expect(steps(first.log)).toEqual(['model_request', 'tools', 'tools', 'tools']);
    expect(steps(next.log)).toEqual(['tools', 'tools', 'model_request']);
    expect(typesIn(next.log)).not.toContain('step-reset');
  });

  it('makes the call with the arguments that the deciding person edited, and refuses invalid ones', async () => {
    const stack = await stackWith(chat(calling(call('c1', 'pay', '{"note":"5"}'))), { tools: [pay()] });
    const edit = { decision: 'edit', input: { note: '4' } } as const;
    const { text } = await decide(stack, await stopped(stack), edit);
    expect(text).toContain('"arguments":{"note":"4"},"result":"paid 4"');
    await expect(
      decide(stack, await stopped(stack), { decision: 'edit', input: { note: 4 } }),
    ).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
  });

  it('validates edited arguments with a schema that has asynchronous checks', async () => {
    const input = NOTE.refine(async ({ note }) => Promise.resolve(note !== '13'), 'Not that one');
    const stack = await stackWith(chat(calling(order[0])), { tools: [pay(undefined, { input })] });
    const first = await stopped(stack);
    await expect(decide(stack, first, { decision: 'edit', input: { note: '13' } })).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
      message: expect.stringContaining('Not that one'),
    });
    expect((await decide(stack, first, { decision: 'edit', input: { note: '4' } })).text).toContain('paid 4');
  });

  it('asks for approval again when the continued run makes another call that needs it', async () => {
    const model = scripted((messages) => {
      const made = messages.filter(({ type }) => type === 'tool').length;
      return made === 2 ? { chunks: ['Done.'] } : { calls: [call('again', 'pay', `{"note":"${made}"}`)] };
    });
    const stack = await stackWith(chat(model), { tools: [pay()] });
    const first = await stopped(stack);
    const second = await decide(stack, first, { decision: 'approve' });
    expect(second.log.at(-1)?.event).toMatchObject({ outcome: 'awaiting-input' });
    const requests = requestsIn(second.log);
    // The model gives each call the same id; people see two.
    expect(requests[0]?.toolCallId).not.toBe('again');
    const third = await decide(stack, { ...second, requests }, { decision: 'approve' });
    expect(third.text).toBe('Done.');
    expect(await stack.readMessages(first.threadId)).toHaveLength(6);
  });

  it('asks again under the same ids when the process dies before the run has stopped for its approvals', async () => {
    const storage = await openStorage();
    const tools = [pay(), noteTool('look', (_, { signal }) => hang(signal))];
    const dying = await stackWith(chat(calling(...order)), { tools, storage });
    const { id } = await dying.ask('Pay!');
    await reached(dying, id, ({ type }) => type === 'input-request');
    await dying.executor.drain(0);
    const stack = await stackWith(chat(calling(...order)), {
      tools: [pay(), noteTool('look', () => 'seen')],
      storage,
    });
    const log = await stack.readLog(id);
    expectValid(log);
    const view = foldRun(id, log);
    const asked = view.parts.filter(({ kind }) => kind === 'approval');
    expect(asked).toHaveLength(2);
    const requests = requestsIn(log).slice(-2);
    expect(new Set(requestsIn(log).map(({ inputId }) => inputId)).size).toBe(2);
    const { text } = await decide(stack, { id, requests }, { decision: 'approve' }, { decision: 'approve' });
    expect(text).toBe('c1: paid 5; c2: seen; c3: paid 7');
  });

  it('makes an approved call in another process when the first one gives the continued run back', async () => {
    const storage = await openStorage();
    const first = await stackWith(chat(calling(order[0])), {
      tools: [pay((_, { signal }) => hang(signal))],
      storage,
    });
    const { id, requests } = await stopped(first);
    const approved = { [requests[0]!.inputId]: { decision: 'approve' } as const };
    const { continuedBy } = await first.inputs.answer(ADA, id, approved);
    await reached(first, continuedBy!.id, ({ type }) => type === 'tool-start');
    await first.executor.drain(0);

    const second = await stackWith(chat(calling(order[0])), { tools: [pay()], storage });
    const log = await second.readLog(continuedBy!.id);
    expectValid(log);
    expect(requestsIn(log)).toEqual([]);
    expect(getText(foldRun(id, log))).toBe('c1: paid 5');
  });

  it('denies a pending approval when a new message arrives, and runs the agent on that message', async () => {
    const stack = await stackWith(chat(calling(...order.slice(0, 2))), {
      tools: [pay(), noteTool('look', () => 'seen')],
    });
    const { id, threadId, requests } = await stopped(stack);
    const { id: later } = await stack.ask('Never mind.', threadId);
    const approve = { [requests[0]!.inputId]: { decision: 'approve' } as const };
    await expect(stack.inputs.answer(ADA, id, approve)).rejects.toMatchObject({ code: 'INPUT_CLOSED' });
    expectValid(await stack.readLog(later));
  });

  it('continues a run once when the same decision arrives twice, and refuses to reverse it', async () => {
    const stack = await stackWith(chat(calling(order[0])), { tools: [pay()] });
    const first = await stopped(stack);
    const [one, two] = await Promise.all([
      decide(stack, first, { decision: 'approve' }),
      decide(stack, first, { decision: 'approve' }),
    ]);
    expect(one.id).toBe(two.id);
    await expect(decide(stack, first, { decision: 'deny' })).rejects.toMatchObject({
      code: 'INPUT_CLOSED',
    });
    const unknown = { nothing: { decision: 'approve' } as const };
    await expect(stack.inputs.answer(ADA, first.id, unknown)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const stranger = { ...ADA, userId: 'eve' };
    await expect(stack.inputs.answer(stranger, first.id, {})).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('withdraws the approval requests of a run that is cancelled', async () => {
    const tools = [pay(), noteTool('look', (_, { signal }) => hang(signal))];
    const stack = await stackWith(chat(calling(...order)), { tools });
    const { id } = await stack.ask('Pay!');
    await reached(stack, id, ({ type }: RunEvent) => type === 'input-request');
    await stack.runs.cancel(ADA, id);
    expect((await stack.readLog(id)).at(-1)?.event).toMatchObject({ outcome: 'cancelled' });
    expect((await stack.runs.get(ADA, id)).inputs).toBeUndefined();
  });
});
