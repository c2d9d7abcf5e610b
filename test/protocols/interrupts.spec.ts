import { describe, expect, it } from '@jest/globals';
import { TaskState, type Part, type Task } from '@a2a-js/sdk';
import { HttpAgent, type RunFinishedEvent } from '@ag-ui/client';
import { AIMessage } from '@langchain/core/messages';
import { interrupt, MessagesAnnotation, Send, START, StateGraph, type Interrupt } from '@langchain/langgraph';
import { Client } from '@langchain/langgraph-sdk';
import OpenAI from 'openai';
import { LangGraphAgent } from '../../src/agents/langgraph/index.js';
import { chatServers, type ChatServer } from '../support/chat.server.js';
import { CLIENTS, toMessage, readText } from './a2a-clients.js';
import { until } from '../support/until.js';
import { createChat, listTools, readText as readAnswer, SDKS } from './ai-sdk-chat.js';

const QUESTION = { question: 'Which one?', options: ['red', 'blue'] };

/** Asks once, or for each of the words of the message. */
const graph = () =>
  new StateGraph(MessagesAnnotation)
    .addNode(
      'choose',
      (state: { readonly messages: readonly { readonly text: string }[]; readonly word?: string }) => {
        const { word } = state;
        const given = interrupt(word === undefined ? QUESTION : { question: word });
        return { messages: [new AIMessage(`${word ?? 'It'} is ${JSON.stringify(given)}. `)] };
      },
    )
    .addConditionalEdges(START, ({ messages }) => {
      const text = messages.at(-1)?.text ?? '';
      return text.startsWith('each ')
        ? text
            .split(' ')
            .slice(1)
            .map((word) => new Send('choose', { messages: [], word }))
        : 'choose';
    })
    .compile();

describe('interrupt of a graph', () => {
  const start = chatServers();
  const serve = () =>
    start({
      agents: (kit) => [
        new LangGraphAgent({ ...kit, name: 'chat', description: 'Asks.', graph: graph() as never }),
      ],
      protocols: {},
    });
  const readContinuation = ({ url }: ChatServer) => new URL(url).origin;

  it('shows an interrupt in the run, the thread and the view, and takes its answer on the native route', async () => {
    const server = await serve();
    const { runId } = await server.finishedRun({ message: 'Go!' });
    const { body: run } = await server.call('GET', `/runs/${runId}`);
    const threadId = String(run['threadId']);
    expect(run).toMatchObject({ status: 'awaiting-input', inputs: [{ kind: 'interrupt', value: QUESTION }] });
    const { body: thread } = await server.call('GET', `/threads/${threadId}`);
    const asked = { kind: 'interrupt', value: QUESTION };
    expect(thread).toMatchObject({ messages: [{}, { view: { parts: [asked] } }], inputs: [asked] });
    const [{ inputId }] = run['inputs'] as [{ inputId: string }];
    const path = `/runs/${runId}/inputs/${inputId}`;
    for (const wrong of [{ decision: 'approve' }, { decision: 'answer' }, { value: 'red' }])
      expect((await server.call('POST', path, wrong)).status).toBe(400);
    const { body } = await server.call('POST', path, { decision: 'answer', value: 'red' });
    const next = await server.watch((body['continuedBy'] as { runId: string }).runId);
    await next.closed();
    expect(next.text).toBe('It is "red". ');
    expect((await server.call('GET', `/threads/${threadId}`)).body).not.toHaveProperty('inputs');
  });

  it("shows an interrupt in LangGraph's streams and state, and takes its answer as a command", async () => {
    const server = await serve();
    const client = new Client({ apiUrl: `${readContinuation(server)}/protocols/langgraph`, apiKey: null });
    const { thread_id: threadId } = await client.threads.create();
    const input = { messages: [{ type: 'human', content: 'Go!' }] };
    const interrupts: Interrupt[] = [];
    for await (const { event, data } of client.runs.stream(threadId, 'chat', {
      input,
      streamMode: ['updates'],
    }))
      if (event === 'updates' && '__interrupt__' in data)
        interrupts.push(...(data['__interrupt__'] as Interrupt[]));
    expect(interrupts).toMatchObject([{ value: QUESTION }]);
    const state = await client.threads.getState(threadId);
    expect(state.tasks).toMatchObject([{ interrupts: [{ id: interrupts[0]?.id, value: QUESTION }] }]);

    const words: string[] = [];
    const command = { resume: ['blue', 2] };
    for await (const { event, data } of client.runs.stream(threadId, 'chat', {
      command,
      streamMode: 'values',
    }))
      if (event === 'values')
        words.push(String((data as { messages: { content: unknown }[] }).messages.at(-1)?.content));
    expect(words.at(-1)).toBe('It is ["blue",2]. ');
    expect((await client.threads.getState(threadId)).tasks).toEqual([]);
  });

  it('takes the answers to several interrupts by their ids in LangGraph', async () => {
    const server = await serve();
    const client = new Client({ apiUrl: `${readContinuation(server)}/protocols/langgraph`, apiKey: null });
    const { thread_id: threadId } = await client.threads.create();
    const input = { messages: [{ type: 'human', content: 'each one two' }] };
    for await (const _ of client.runs.stream(threadId, 'chat', { input }));
    const { tasks } = await client.threads.getState(threadId);
    const asked = tasks.flatMap(
      ({ interrupts }) => interrupts as { id: string; value: { question: string } }[],
    );
    expect(asked.map(({ value }) => value.question).toSorted()).toEqual(['one', 'two']);
    const refused = client.runs.create(threadId, 'chat', { command: { resume: 'yes' } });
    await expect(refused).rejects.toMatchObject({ status: 400 });
    const resume = Object.fromEntries(asked.map(({ id, value }) => [id, value.question.toUpperCase()]));
    const command = { resume };
    for await (const _ of client.runs.stream(threadId, 'chat', { command }));
    const { values } = await client.threads.getState<{ messages: { content: string }[] }>(threadId);
    const said = values.messages.map(({ content }) => content).join('');
    expect(said).toContain('one is "ONE". ');
    expect(said).toContain('two is "TWO". ');
  });

  it('shows an interrupt in AG-UI, and resumes it with any payload', async () => {
    const server = await serve();
    const agent = new HttpAgent({ url: `${readContinuation(server)}/protocols/ag-ui`, threadId: 'thread-1' });
    const ends: RunFinishedEvent[] = [];
    agent.subscribe({ onRunFinishedEvent: ({ event }) => void ends.push(event) });
    agent.addMessage({ id: 'q', role: 'user', content: 'Go!' });
    await agent.runAgent();
    expect(ends).toMatchObject([
      {
        outcome: {
          type: 'interrupt',
          interrupts: [{ reason: 'interrupt', message: 'Which one?', metadata: { value: QUESTION } }],
        },
      },
    ]);
    const { outcome } = ends[0] as unknown as { outcome: { interrupts: { id: string }[] } };
    const resume = [{ interruptId: outcome.interrupts[0]!.id, status: 'resolved', payload: 'red' }] as const;
    await agent.runAgent({ resume: [...resume] });
    expect(agent.messages.at(-1)?.content).toBe('It is "red". ');
  });

  it('shows an interrupt as a function call in OpenAI Responses, and takes its output as the answer', async () => {
    const server = await serve();
    const openai = new OpenAI({
      baseURL: `${readContinuation(server)}/protocols/openai/v1`,
      apiKey: 'none',
      maxRetries: 0,
    });
    const asked = await openai.responses.create({ model: 'chat', input: 'Go!' });
    const [call] = asked.output.filter((item) => item.type === 'function_call');
    expect(call).toMatchObject({ name: 'request_input' });
    expect(JSON.parse(call!.arguments)).toMatchObject({ kind: 'interrupt', value: QUESTION });
    const output = {
      type: 'function_call_output',
      call_id: call!.call_id,
      output: '{"colour":"red"}',
    } as const;
    const answered = await openai.responses.create({
      model: 'chat',
      previous_response_id: asked.id,
      input: [output],
    });
    expect(answered.output_text).toBe('It is {"colour":"red"}. ');
  });

  it.each(SDKS)(
    'shows an interrupt as a call in AI SDK %s, and takes its output as the answer',
    async (_, sdk) => {
      const server = await serve();
      const chat = createChat(sdk)({
        url: readContinuation(server),
        sendAutomaticallyWhen: sdk.lastAssistantMessageIsCompleteWithToolCalls,
      });
      await chat.sendMessage({ text: 'each one two' });
      expect(chat.errors).toEqual([]);
      const asked = listTools(chat.lastMessage);
      expect(asked.map(({ toolName, title, state }) => ({ toolName, title, state }))).toEqual([
        { toolName: 'request_input', title: 'one', state: 'input-available' },
        { toolName: 'request_input', title: 'two', state: 'input-available' },
      ]);
      expect(asked[0]?.input).toMatchObject({ kind: 'interrupt', value: { question: 'one' } });
      for (const { toolCallId, title = '' } of asked)
        await chat.addToolOutput({
          tool: 'request_input' as never,
          toolCallId,
          output: { word: title.toUpperCase() },
        });
      await until(() => chat.status === 'error' || readAnswer(chat.lastMessage).includes('two is'));
      await until(() => chat.status !== 'streaming');
      expect(chat.errors).toEqual([]);
      expect(readAnswer(chat.lastMessage)).toContain('one is {"word":"ONE"}. ');
      expect(chat.messages.map(({ role }) => role)).toEqual(['user', 'assistant']);
      expect(listTools(chat.lastMessage).map(({ state }) => state)).toEqual([
        'output-available',
        'output-available',
      ]);
      const stored = await fetch(`${readContinuation(server)}/protocols/ai-sdk/chat/chat-1/messages`);
      const [, answer] = (await stored.json()) as NonNullable<typeof chat.lastMessage>[];
      expect(listTools(answer).map(({ state }) => state)).toEqual(['output-available', 'output-available']);
    },
  );

  it.each(SDKS)('tells AI SDK %s of an answer that was given elsewhere', async (_, sdk) => {
    const server = await serve();
    const chat = createChat(sdk)({ url: readContinuation(server) });
    await chat.sendMessage({ text: 'Go!' });
    const [asked] = listTools(chat.lastMessage);
    const { runId } = chat.lastMessage!.metadata as { runId: string };
    const value = { decision: 'answer', value: 'red' };
    expect((await server.call('POST', `/runs/${runId}/inputs/${asked!.toolCallId}`, value)).status).toBe(200);
    const later = createChat(sdk)({
      url: readContinuation(server),
      // The run may have ended by now.
      fetch: (url, init) => fetch(`${url as string}?after=`, init),
    });
    await later.resumeStream();
    expect(later.errors).toEqual([]);
    expect(listTools(later.lastMessage)).toMatchObject([{ state: 'output-available', output: 'red' }]);
    expect(readAnswer(later.lastMessage)).toBe('It is "red". ');
  });

  it.each(CLIENTS)(
    'requires input for an interrupt in A2A %s, and takes a data part as the answer',
    async (_version, connect) => {
      const server = await serve();
      const client = await connect(readContinuation(server));
      const asked = (await client.sendMessage(toMessage('Go!', { contextId: 'context-1' }))) as Task;
      expect(TaskState[asked.status?.state ?? -1]).toBe('TASK_STATE_INPUT_REQUIRED');
      expect(readText(asked.status!.message!)).toBe('Which one?');
      const parts: readonly Part[] = asked.status!.message!.parts;
      const data = parts.flatMap(({ content }) =>
        content?.$case === 'data' ? [content.value as { inputId: string }] : [],
      );
      expect(data).toMatchObject([{ kind: 'interrupt', value: QUESTION }]);
      const answer = { inputId: data[0]!.inputId, decision: 'answer', value: { colour: 'red' } };
      const done = (await client.sendMessage(toMessage(undefined, { taskId: asked.id }, answer))) as Task;
      expect(done.artifacts.map(readText).join('')).toBe('It is {"colour":"red"}. ');
    },
  );
});
