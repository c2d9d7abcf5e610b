import { describe, expect, it } from '@jest/globals';
import { HttpAgent, type Message as AgUiMessage } from '@ag-ui/client';
import { AIMessage, ToolMessage, type BaseMessage } from '@langchain/core/messages';
import { END, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
import { Client, type Message } from '@langchain/langgraph-sdk';
import type { AgentContext, AgentInput } from '../../src/agents/agent.js';
import { LangGraphAgent, type LangGraphAgentOptions } from '../../src/agents/langgraph/index.js';
import { foldRun } from '../../src/client/index.js';
import { foldTimeline } from '../../src/events/fold-timeline.js';
import { withoutWords } from '../../src/events/without-words.js';
import { compactRun } from '../../src/runs/compact-run.js';
import { EventCache } from '../../src/runs/event.cache.js';
import { readWholeLog } from '../../src/runs/read-log.js';
import { MemoryStorage } from '../../src/storage/memory/memory.storage.js';
import { chatServers, gate } from '../support/chat.server.js';
import { collected } from '../support/collected.js';
import { SHARED_KINDS, testStorages } from '../support/storages.js';
import { until } from '../support/until.js';

const start = chatServers();
const storages = testStorages();

const STEERED = 'Only the Mediterranean ones.';
const LATE = 'And in alphabetical order.';

/** Looks something up, until `mayEnd`, and answers until `mayRest`. */
function lookingUp() {
  const [looksUp, mayEnd, answers, mayRest] = [gate(), gate(), gate(), gate()];
  const graph = new StateGraph(MessagesAnnotation)
    .addNode('ask', () => ({
      messages: [new AIMessage({ content: 'Looking.', tool_calls: [{ id: 'c1', name: 'look', args: {} }] })],
    }))
    .addNode('look', async () => {
      looksUp.open();
      await mayEnd.opened;
      return { messages: [new ToolMessage({ content: 'Found.', tool_call_id: 'c1' })] };
    })
    .addNode('answer', async ({ messages }) => {
      answers.open();
      await mayRest.opened;
      return { messages: [new AIMessage(`Answer to: ${messages.at(-1)?.text}`)] };
    })
    .addConditionalEdges(
      START,
      ({ messages }) => (messages.some((each) => ToolMessage.isInstance(each)) ? 'answer' : 'ask'),
      ['ask', 'answer'],
    )
    .addEdge('ask', 'look')
    .addEdge('look', 'answer')
    .addEdge('answer', END)
    .compile();
  return { graph, looksUp, mayEnd, answers, mayRest };
}

/** The conversation as people see it: without results, and without what stands for an answer that was not given. */
const CONVERSATION = [
  'human: Which countries?',
  'ai: Looking.',
  `human: ${STEERED}`,
  `ai: Answer to: ${STEERED}`,
  `human: ${LATE}`,
  `ai: Answer to: ${LATE}`,
];

const describeMessages = ({ messages = [] }: { readonly messages?: readonly Message[] }) =>
  messages.flatMap(({ type, content }) => (type === 'tool' ? [] : [`${type}: ${content as string}`]));

/** Notes the context of its run. */
class WatchedAgent extends LangGraphAgent {
  context: AgentContext | undefined;

  override run(input: AgentInput, context: AgentContext): Promise<void> {
    this.context = context;
    return super.run(input, context);
  }
}

const ROLES: Readonly<Record<string, string>> = { user: 'human', assistant: 'ai' };
const describeAgUi = (messages: readonly AgUiMessage[]) =>
  messages.flatMap(({ role, content }) =>
    ROLES[role] && typeof content === 'string' && content !== '' ? [`${ROLES[role]}: ${content}`] : [],
  );

describe.each(['memory', ...SHARED_KINDS] as const)('a run that is steered in the middle, on %s', (kind) => {
  const serve = async (options: Partial<LangGraphAgentOptions> = {}) => {
    const { graph, ...gates } = lookingUp();
    const storage = kind === 'memory' ? new MemoryStorage() : await storages.make(kind);
    let agent: WatchedAgent | undefined;
    const server = await start({
      storage,
      agents: (kit) => [
        (agent = new WatchedAgent({
          ...kit,
          name: 'graph',
          description: 'Looks up.',
          graph: graph as never,
          ...options,
        })),
      ],
      protocols: {},
    });
    const protocols = `${server.origin}/protocols`;
    const client = new Client({
      apiUrl: `${protocols}/langgraph`,
      apiKey: null,
      callerOptions: { maxRetries: 0 },
    });
    const steer = async (runId: string, message: string) => {
      const { status, body } = await server.call('POST', `/runs/${runId}/messages`, { message });
      expect(status).toBe(202);
      // Its owner has heard of it.
      await until(() => agent?.context?.hasMessages?.() ?? false);
      return body['messageId'] as string;
    };
    const begin = async () => {
      const { thread_id: threadId } = await client.threads.create();
      const { run_id: runId } = await client.runs.create(threadId, 'graph', {
        input: { messages: [{ type: 'human', content: 'Which countries?' }] },
      });
      await gates.looksUp.opened;
      return { threadId, runId };
    };
    /** Sends one message before the results are there, and one while the run answers. */
    const steerTwice = async (runId: string) => {
      const first = await steer(runId, STEERED);
      gates.mayEnd.open();
      await gates.answers.opened;
      const second = await steer(runId, LATE);
      gates.mayRest.open();
      return [first, second];
    };
    const finish = async () => {
      const run = await begin();
      const ids = await steerTwice(run.runId);
      await until(async () => (await storage.runs.get(run.runId))?.status === 'completed');
      return { ...run, ids };
    };
    return { server, storage, client, begin, steerTwice, finish, agUiUrl: `${protocols}/ag-ui/connect` };
  };

  it('shows its messages at their places to clients of LangGraph that read it, and to those that join it later', async () => {
    const { client, begin, steerTwice } = await serve();
    const { threadId, runId } = await begin();
    const join = (options: object = {}) =>
      collected(
        client.runs.joinStream(threadId, runId, {
          streamMode: ['values', 'updates', 'messages-tuple'],
          ...options,
        }),
      );
    const reader = join();
    const [first, second] = await steerTwice(runId);
    const chunks = await reader;
    expect(chunks.filter(({ event }) => event === 'error')).toEqual([]);
    const states = chunks.flatMap(({ event, data }) => (event === 'values' ? [data as never] : []));
    const last = states.at(-1)!;
    expect(describeMessages(last)).toEqual(CONVERSATION);
    // No state shows an answer before what it answers.
    for (const state of states)
      expect(describeMessages(state)).toEqual(CONVERSATION.slice(0, describeMessages(state).length));
    const ids = (last as { messages: Message[] }).messages.flatMap(({ type, id }) =>
      type === 'human' ? [id] : [],
    );
    expect(ids.slice(1)).toEqual([first, second]);

    // What it says is the same to all, from the start or from any place.
    expect(await join()).toEqual(chunks);
    for (const { id } of chunks) {
      const rest = await join({ lastEventId: id });
      expect(rest).toEqual(chunks.slice(chunks.length - rest.length));
    }
    const { values } = await client.threads.getState<{ messages: Message[] }>(threadId);
    expect(describeMessages(values)).toEqual(CONVERSATION);
    expect(await client.runs.list(threadId)).toHaveLength(1);
  });

  it('shows its messages at their places to clients of AG-UI that read it, and to those that connect later', async () => {
    const { begin, steerTwice, agUiUrl } = await serve();
    const { threadId, runId } = await begin();
    const connect = () => new HttpAgent({ url: agUiUrl, threadId });
    const reader = connect();
    const joined = gate();
    reader.subscribe({ onMessagesSnapshotEvent: () => joined.open() });
    const read = reader.runAgent();
    await joined.opened;
    await steerTwice(runId);
    await read;
    expect(describeAgUi(reader.messages)).toEqual(CONVERSATION);
    const later = connect();
    await later.runAgent();
    expect(later.messages).toEqual(reader.messages);
  });

  it('keeps its messages when its log is compacted, is found by their words, and hides them from operators', async () => {
    const { server, storage, client, finish, agUiUrl } = await serve();
    const { threadId, runId, ids } = await finish();
    const readLog = () => readWholeLog(storage.log, runId);
    const whole = await readLog();
    const view = foldRun(runId, whole);
    const values = async () => (await client.threads.getState(threadId)).values;
    const before = await values();
    expect(
      await compactRun(runId, { retention: storage.retention, log: storage.log, recent: new EventCache() }),
    ).toBe('compacted');
    const compacted = await readLog();
    expect(compacted.length).toBeLessThanOrEqual(whole.length);
    expect(foldRun(runId, compacted).parts).toEqual(view.parts);
    expect(view.parts.flatMap((part) => (part.kind === 'person' ? [part.messageId] : []))).toEqual(ids);
    expect(await values()).toEqual(before);
    const viewer = new HttpAgent({ url: agUiUrl, threadId });
    await viewer.runAgent();
    expect(describeAgUi(viewer.messages)).toEqual(CONVERSATION);

    const { body } = await server.call('GET', '/threads?search=mediterranean');
    expect(body['items']).toMatchObject([{ id: threadId, match: { runId } }]);

    // The inspector has each in a step of its own.
    const { rows } = foldTimeline(compacted);
    const steps = rows.filter((row) => row.kind === 'step' && row.name === 'message');
    expect(steps).toHaveLength(2);
    const hidden = JSON.stringify(compacted.map(({ event }) => withoutWords(event)));
    expect(hidden).not.toContain('Mediterranean');
    expect(hidden).not.toContain('alphabetical');
  });

  it('has its messages in the states that it keeps, and in those that runs go on from', async () => {
    const { storage, client, finish } = await serve({ keepsStates: true });
    const { threadId, runId } = await finish();
    const history = await client.threads.getHistory<{ messages: Message[] }>(threadId, { limit: 50 });
    const states = history.reverse();
    const length = states.map(({ values }) => describeMessages(values).length);
    // Input, question, call, result; with the first message, with its answer; before the second, with it, with its answer.
    expect(length).toEqual([0, 1, 2, 2, 3, 4, 4, 5, 6]);
    for (const { values } of states) {
      const messages = describeMessages(values);
      expect(messages).toEqual(CONVERSATION.slice(0, messages.length));
    }

    const { threadKey } = (await storage.runs.get(runId))!;
    for (const index of [3, 4, 6]) {
      const forked = await client.runs.wait(threadId, 'graph', {
        input: { messages: [{ type: 'human', content: 'Why?' }] },
        checkpointId: states[index]!.checkpoint.checkpoint_id!,
      });
      const shown = describeMessages(forked as never);
      expect(shown).toEqual([...CONVERSATION.slice(0, length[index]), 'human: Why?', 'ai: Answer to: Why?']);
      // As the graph has it.
      const tuple = await storage.checkpointer.getTuple({ configurable: { thread_id: threadKey } });
      const messages = tuple?.checkpoint.channel_values['messages'] as BaseMessage[];
      const said = (all: readonly string[]) => all.filter((each) => each.startsWith('human: '));
      expect(said(messages.map((each) => `${each.getType()}: ${each.text}`))).toEqual(said(shown));
    }
  });
});
