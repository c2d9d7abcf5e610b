import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { TaskState, type Part, type Task } from '@a2a-js/sdk';
import type { Client } from '@a2a-js/sdk/client';
import { SqliteStorage } from '../../src/storage/sqlite/sqlite.storage.js';
import { gate, type ChatServer } from '../support/chat.server.js';
import { CLIENTS, idOf, messageOf, Seen, watch, wordsOf } from './a2a.clients.js';
import { payingServers, runsOf } from './approvals.server.js';

const approve = { decision: 'approve' };
const edit = { decision: 'edit', input: { to: 'Bob', amount: 49 } };
const deny = { decision: 'deny', reason: 'No.' };

const stateOf = ({ status }: Task) => TaskState[status?.state ?? -1];
const saidIn = ({ artifacts }: Task) => artifacts.map(wordsOf).join('');
const dataIn = (parts: readonly Part[] = []) =>
  parts.flatMap(({ content }) =>
    content?.$case === 'data' ? [content.value as { readonly approvalId: string }] : [],
  );
const asksIn = ({ status }: Task) => dataIn(status?.message?.parts);

describe.each(CLIENTS)('an approval in A2A, version %s,', (version, connect) => {
  const serve = payingServers();
  const clientOf = (server: ChatServer) => connect(new URL(server.url).origin);

  async function taskOf(answer: ReturnType<Client['sendMessage']>): Promise<Task> {
    const task = await answer;
    if (!('artifacts' in task)) throw new Error('A task was expected.');
    return task;
  }
  const ask = (client: Client, text: string) =>
    taskOf(client.sendMessage(messageOf(text, { contextId: 'context-1' })));
  const answer = (client: Client, { id: taskId }: Task, ...answers: readonly object[]) =>
    taskOf(client.sendMessage(messageOf(undefined, { taskId }, ...answers)));
  /** To the requests in their order. */
  const to = (task: Task, ...answers: readonly object[]) =>
    asksIn(task)
      .slice(0, answers.length)
      .map(({ approvalId }, index) => ({ approvalId, ...answers[index] }));

  it('is input that the task waits for, and the task goes on with it', async () => {
    const server = await serve();
    const client = await clientOf(server);
    const asked = await ask(client, 'Pay 50 and 5.');
    expect(stateOf(asked)).toBe('TASK_STATE_INPUT_REQUIRED');
    expect(wordsOf(asked.status!.message!)).toBe('Paying Eve…');
    expect(asksIn(asked)).toMatchObject([{ toolName: 'pay', input: { to: 'Eve', amount: 50 } }]);

    const seen = new Seen();
    const data = to(asked, approve);
    await watch(client.sendMessageStream(messageOf(undefined, { taskId: asked.id }, ...data)), seen);
    expect([seen.taskId, seen.text]).toEqual([asked.id, 'Let me pay.[50 to Eve][5 to Eve]']);
    expect(seen.states.at(-1)).toBe('TASK_STATE_COMPLETED');
    const task = await client.getTask(idOf(asked.id));
    expect([stateOf(task), saidIn(task), task.history]).toEqual([
      'TASK_STATE_COMPLETED',
      seen.text,
      asked.history,
    ]);
    await expect(answer(client, task, { text: 'more' })).rejects.toThrow();
  });

  it('is edited and denied, each for itself', async () => {
    const client = await clientOf(await serve());
    const asked = await ask(client, 'Pay 50 and 500.');
    const task = await answer(client, asked, ...to(asked, edit, deny));
    expect(saidIn(task)).toContain('"result":"49 to Bob"');
    expect(saidIn(task)).toContain("[The call of 'pay' was not approved. No.]");
  });

  it('is noted while others are missing, and the task waits on', async () => {
    const server = await serve();
    const client = await clientOf(server);
    const asked = await ask(client, 'Pay 50 and 500.');
    const [first, second] = to(asked, approve, approve);
    const waiting = await answer(client, asked, first!);
    expect(stateOf(waiting)).toBe('TASK_STATE_INPUT_REQUIRED');
    expect(asksIn(waiting)).toEqual(asksIn(asked).slice(1));
    const streamed = messageOf(undefined, { taskId: asked.id }, first!);
    expect((await watch(client.sendMessageStream(streamed))).states.at(-1)).toBe('TASK_STATE_INPUT_REQUIRED');
    expect(await runsOf(server, 'context-1')).toHaveLength(1);
    expect(saidIn(await answer(client, asked, second!))).toContain('[50 to Eve][500 to Eve]');
  });

  it('goes on once, however often and by whomever it is given', async () => {
    const server = await serve();
    const [client, other] = await Promise.all([clientOf(server), clientOf(server)]);
    const asked = await ask(client, 'Pay 50.');
    const answers = to(asked, approve);
    const tasks = await Promise.all([client, other].map((each) => answer(each, asked, ...answers)));
    expect(tasks[1]).toEqual(tasks[0]);
    expect(await runsOf(server, 'context-1')).toHaveLength(2);
    await expect(answer(client, asked, ...to(asked, deny))).rejects.toThrow('cannot be decided');
  });

  it('shows who subscribes to the task that goes on all of it', async () => {
    const [begun, paid] = [gate(), gate()];
    const client = await clientOf(await serve({ hold: () => (begun.open(), paid.opened) }));
    const asked = await ask(client, 'Pay 50.');
    await expect(client.resubscribeTask(idOf(asked.id)).next()).rejects.toThrow('has ended');
    const answered = answer(client, asked, ...to(asked, approve));
    await begun.opened;
    const seen = new Seen();
    for await (const update of client.resubscribeTask(idOf(asked.id))) {
      seen.take(update);
      paid.open();
    }
    const task = await answered;
    expect([seen.taskId, seen.text]).toEqual([task.id, saidIn(task)]);
    expect(seen.states).toEqual(['TASK_STATE_WORKING', 'TASK_STATE_COMPLETED']);
  });

  it('may be answered by another process', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'approvals-'));
    try {
      const asking = await serve({ storage: new SqliteStorage({ directory }) });
      const asked = await ask(await clientOf(asking), 'Pay 50.');
      await asking.close();
      const answering = await serve({ storage: new SqliteStorage({ directory }) });
      const task = await answer(await clientOf(answering), asked, ...to(asked, approve));
      expect(saidIn(task)).toBe('Let me pay.[50 to Eve]');
      await answering.close();
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it('is refused when it says nothing that can be done', async () => {
    const server = await serve();
    const client = await clientOf(server);
    const asked = await ask(client, 'Pay 50.');
    const { id: taskId } = asked;
    await expect(taskOf(client.sendMessage(messageOf('Yes.', { taskId })))).rejects.toThrow('data part');
    await expect(answer(client, asked, { approvalId: 'forged', ...approve })).rejects.toThrow();
    await expect(answer(client, asked, ...to(asked, { decision: 'maybe' }))).rejects.toThrow();
    await expect(taskOf(client.sendMessage(messageOf('Pay', {}, approve)))).rejects.toThrow('text');
    expect(await runsOf(server, 'context-1')).toHaveLength(1);

    await ask(client, 'Never mind.');
    await expect(answer(client, asked, ...to(asked, approve))).rejects.toThrow('cannot be decided');
  });

  it('makes no task of its own', async () => {
    if (version !== '1.0') return;
    const client = await clientOf(await serve());
    const asked = await ask(client, 'Pay 50.');
    const list = async (status = TaskState.TASK_STATE_UNSPECIFIED) => {
      const filter = { tenant: '', contextId: '', pageToken: '', statusTimestampAfter: undefined, status };
      return (await client.listTasks(filter)).tasks.map((task) => [task.id, stateOf(task)]);
    };
    expect(await list()).toEqual([[asked.id, 'TASK_STATE_INPUT_REQUIRED']]);
    await answer(client, asked, ...to(asked, approve));
    expect(await list()).toEqual([[asked.id, 'TASK_STATE_COMPLETED']]);
    expect(await list(TaskState.TASK_STATE_INPUT_REQUIRED)).toEqual([]);
  });
});
