import { afterEach, describe, expect, it } from '@jest/globals';
import { verifyEvents } from '@ag-ui/client';
import type { Event } from '@ag-ui/core';
import { createDeepAgent } from 'deepagents';
import { tool } from 'langchain';
import { z } from 'zod';
import { from, lastValueFrom, toArray } from 'rxjs';
import type { BaseMessage } from '@langchain/core/messages';
import {
  call,
  closeStacks,
  graphAgent,
  scripted,
  stackWith,
} from '../../src/agents/langgraph/langgraph-stack.testing.js';
import type { RecordedEvent } from '../../src/events/recorded-event.js';
import { foldRun, getText } from '../../src/events/run-view.js';
import { A2aMapper } from '../../src/protocols/a2a/a2a.mapper.js';
import type { AgUiEvent } from '../../src/protocols/ag-ui/ag-ui-events.js';
import { AgUiMapper } from '../../src/protocols/ag-ui/ag-ui.mapper.js';
import type { AgUiRun } from '../../src/protocols/ag-ui/ag-ui-run.js';
import { createAiSdkMapper } from '../../src/protocols/ai-sdk/ai-sdk.mapper.js';
import { listParts, readMessage } from '../../src/protocols/ai-sdk/ai-sdk.testing.js';
import { LangGraphMapper } from '../../src/protocols/langgraph/langgraph.mapper.js';
import { RunStreamMapper } from '../../src/protocols/langgraph/run-stream.mapper.js';
import { createChatCompletionsMapper } from '../../src/protocols/openai/chat-completions.mapper.js';
import { Transcript } from '../../src/protocols/transcript/transcript.js';
import type { Storage } from '../../src/storage/storage.js';
import { SHARED_KINDS, testStorages } from '../support/storages.js';

const storages = testStorages();
const opened: Storage[] = [];

afterEach(async () => {
  await closeStacks();
  for (const storage of opened.splice(0)) await storage.close();
});

const sinceQuestion = (messages: readonly BaseMessage[]) =>
  messages.slice(messages.findLastIndex((message) => message.getType() === 'human'));

const look = tool(() => 'Seen.', {
  name: 'look',
  description: 'Looks.',
  schema: z.object({ note: z.string() }),
});

/** A deep agent that sends its helper out once in each turn. */
const chief = () =>
  createDeepAgent({
    name: 'chief',
    model: scripted((messages, turn) =>
      sinceQuestion(messages).some(({ name }) => name === 'task')
        ? { chunks: ['It is ', 'there.'] }
        : {
            chunks: ['Sending one.'],
            calls: [call(`send${turn}`, 'task', '{"description":"Look","subagent_type":"searcher"}')],
          },
    ),
    subagents: [
      {
        name: 'searcher',
        description: 'Searches.',
        systemPrompt: 'Search.',
        model: scripted((messages, turn) =>
          messages.at(-1)?.getType() === 'tool'
            ? { chunks: ['Found.'] }
            : { chunks: ['I am ', 'looking.'], calls: [call(`look${turn}`, 'look')] },
        ),
        tools: [look],
      },
    ],
  });

describe.each(SHARED_KINDS)('a deep agent with a helper, stored in %s and read by each protocol', (kind) => {
  async function talk(): Promise<readonly RecordedEvent[][]> {
    const storage = await storages.make(kind);
    opened.push(storage);
    await storage.open();
    const stack = await stackWith(graphAgent(chief(), { exposeTools: ['task'] }), { storage });
    const first = await stack.answerTo('Where?');
    const second = await stack.answerTo('And now?', first.threadId);
    return [first.log, second.log];
  }

  it('says whose each text is, and keeps the helper out of the answer', async () => {
    for (const log of await talk()) {
      const view = foldRun('run', log);
      expect(getText(view)).toBe('Sending one.It is there.');
      const sent = log.flatMap(({ event }) =>
        event.type === 'tool-start' && event.toolName === 'task' ? [event.toolCallId] : [],
      );
      const inside = view.parts.flatMap((part) =>
        part.kind === 'text' && part.subagent
          ? [[part.subagent.name, part.subagent.toolCallId, part.text]]
          : [],
      );
      expect(inside).toEqual([
        ['searcher', sent[0], 'I am looking.'],
        ['searcher', sent[0], 'Found.'],
      ]);

      const run = { threadId: 'thread', runId: 'run', history: [] };
      const agUi = await readAgUi(log, { ...run, dialect: '1.0' });
      const started = agUi.find(({ type }) => type === 'SUBAGENT_STARTED');
      expect(started).toMatchObject({ name: 'searcher', parentToolCallId: sent[0] });
      const { subagentRunId } = started as { subagentRunId: string };
      expect(agUi).toContainEqual({ type: 'SUBAGENT_FINISHED', subagentRunId });
      expect(agUi.filter(isOf(subagentRunId, 'TEXT_MESSAGE_START'))).toHaveLength(2);
      expect(agUi.filter(isOf(subagentRunId, 'TOOL_CALL_START'))).toHaveLength(1);
      const old = await readAgUi(log, { ...run, dialect: '0' });
      expect(JSON.stringify(old)).not.toMatch(/I am|subagentRunId|SUBAGENT_/);

      const { message, errors } = await readMessage(log.flatMap(createAiSdkMapper()));
      expect(errors).toEqual([]);
      const parts = listParts(message) as { type?: string; text?: string; data?: object }[];
      expect(parts.flatMap(({ type, text }) => (type === 'text' ? [text] : []))).toEqual([
        'Sending one.',
        'It is there.',
      ]);
      expect(parts.find(({ type }) => type === 'data-subagent')?.data).toMatchObject({
        kind: 'text',
        text: 'I am looking.',
        subagent: { name: 'searcher' },
      });

      expect(
        JSON.stringify(log.flatMap(createChatCompletionsMapper(FACTS, { includeUsage: false }))),
      ).not.toContain('looking');
      const a2a = new A2aMapper({ ...TASK, createdAt: 0 });
      for (const recorded of log) a2a.map(recorded);
      expect(a2a.task.artifacts.map((each) => each.parts[0])).toEqual([
        { text: 'Sending one.' },
        { text: 'It is there.' },
      ]);
    }
  });

  it("gives LangGraph's clients the helper's text under its call, and only where they ask for subgraphs", async () => {
    for (const log of await talk()) {
      const streamed = (hasSubgraphs: boolean) => {
        const modes = new Set(['values', 'messages-tuple', 'updates'] as const);
        const transcript = new Transcript();
        return log.flatMap(new RunStreamMapper({ ...NAMES, transcript, modes, hasSubgraphs }).map);
      };
      expect(JSON.stringify(streamed(false))).not.toContain('looking');
      const sent = log.find(({ event }) => event.type === 'tool-start')!.event as { toolCallId: string };
      const namespace = `tools:${sent.toolCallId}`;
      const inside = streamed(true).filter(({ event }) => event === `messages|${namespace}`);
      const pieces = inside.map(({ data }) => data as readonly [{ content: string }, object]);
      expect(pieces.map(([{ content }]) => content).join('')).toBe('I am looking.Found.');
      expect(pieces[0]?.[1]).toMatchObject({
        lc_agent_name: 'searcher',
        langgraph_node: 'model_request',
        langgraph_checkpoint_ns: expect.stringContaining(`${namespace}|model_request:`) as unknown,
      });
      const values = streamed(true).findLast(({ event }) => event === 'values');
      expect(JSON.stringify(values)).not.toContain('looking');

      const mapper = new LangGraphMapper(0, new Transcript());
      const events = log.flatMap((recorded) => mapper.map(recorded));
      const spoken = events.filter(({ params }) => JSON.stringify(params.data).includes('looking'));
      expect(new Set(spoken.map(({ method, params }) => `${method} ${params.namespace.join('|')}`))).toEqual(
        new Set([expect.stringMatching(/^messages tools:[^|]+\|model_request:[^|]+$/)]),
      );
    }
  });
});

const FACTS = { id: 'chatcmpl-run', created: 1, model: 'chief' };
const NAMES = { runId: 'run', threadId: 'thread' };
const TASK = { taskId: 'run', contextId: 'thread', question: { messageId: 'q', text: 'Where?' } };

const isOf = (subagentRunId: string, type: AgUiEvent['type']) => (event: AgUiEvent) =>
  event.type === type && 'subagentRunId' in event && event.subagentRunId === subagentRunId;

/** Maps the log. @throws what AG-UI's client has against the events */
async function readAgUi(log: readonly RecordedEvent[], run: AgUiRun): Promise<AgUiEvent[]> {
  const mapper = new AgUiMapper(run);
  const events = log.flatMap((recorded) => mapper.map(recorded));
  const source = from(structuredClone(events) as Event[]);
  await lastValueFrom(source.pipe(verifyEvents() as never, toArray()));
  return events;
}
