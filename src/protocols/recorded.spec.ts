import { describe, expect, it } from '@jest/globals';
import type { RequestedInput, RecordedDecision } from '../events/requested-input.js';
import type { RecordedEvent } from '../events/recorded-event.js';
import { A2aMapper } from './a2a/a2a.mapper.js';
import { toV03 } from './a2a/a2a-v03.js';
import { AgUiMapper } from './ag-ui/ag-ui.mapper.js';
import { toAgUiMessage } from './ag-ui/ag-ui-messages.js';
import { createAiSdkMapper } from './ai-sdk/ai-sdk.mapper.js';
import { conversations, readRuns, saidBefore, type RecordedRun } from './fixtures/recorded.testing.js';
import { LangGraphMapper } from './langgraph/langgraph.mapper.js';
import { STREAM_MODES } from './langgraph/run-stream-chunks.js';
import { RunStreamMapper } from './langgraph/run-stream.mapper.js';
import { createChatCompletionsMapper } from './openai/chat-completions.mapper.js';
import { ResponsesMapper } from './openai/responses.mapper.js';
import { FileAddresses } from '../streams/file-addresses.js';
import { Transcript } from './transcript/transcript.js';

const { toAddress } = new FileAddresses('/api/chat/files');

type Mapper = (recorded: RecordedEvent) => readonly unknown[];

/** Maps the run at `index` of a conversation, by protocol. */
const PROTOCOLS: Record<string, (runs: readonly RecordedRun[], index: number) => Mapper> = {
  a2a: (runs, index) => {
    const mapper = createTaskMapper(runs[index]!);
    return (recorded) => mapper.map(recorded);
  },
  'a2a-0.3': (runs, index) => {
    const mapper = createTaskMapper(runs[index]!);
    return (recorded) => mapper.map(recorded).map(toV03);
  },
  'ag-ui': (runs, index) => {
    const mapper = new AgUiMapper({ ...buildThread(runs, index), dialect: '1.0' });
    return (recorded) => mapper.map(recorded);
  },
  'ag-ui-0': (runs, index) => {
    const mapper = new AgUiMapper({ ...buildThread(runs, index), dialect: '0' });
    return (recorded) => mapper.map(recorded);
  },
  'ai-sdk': (runs, index) => createAiSdkMapper(approvalsBefore(runs, index), toAddress),
  langgraph: (runs, index) => {
    const mapper = new LangGraphMapper(index, transcriptUpTo(runs, index), runs[index - 1]?.runId);
    return (recorded) => mapper.map(recorded);
  },
  'langgraph-runs': (runs, index) => {
    const names = { runId: runs[index]!.runId, threadId: 'thread' };
    const transcript = transcriptUpTo(runs, index);
    return new RunStreamMapper({ ...names, transcript, modes: new Set(STREAM_MODES) }).map;
  },
  'openai-chat-completions': (runs, index) => {
    const facts = { id: `chatcmpl-${runs[index]!.runId}`, created: 0, model: 'chat' };
    return createChatCompletionsMapper(facts, { includeUsage: true, toAddress });
  },
  'openai-responses': (runs, index) =>
    new ResponsesMapper({ ...RESPONSE, id: `resp_${runs[index]!.runId}` }, [], toAddress).map,
};

const RESPONSE = {
  object: 'response',
  created_at: 0,
  background: true,
  conversation: { id: 'thread' },
  incomplete_details: null,
  instructions: null,
  metadata: {},
  model: 'chat',
  parallel_tool_calls: true,
  previous_response_id: null,
  temperature: null,
  tool_choice: 'auto',
  tools: [],
  top_p: null,
} as const;

function createTaskMapper({ runId: taskId, question: text }: RecordedRun): A2aMapper {
  const question = { messageId: `${taskId}-question`, text };
  return new A2aMapper({ taskId, contextId: 'thread', question, createdAt: 0, toAddress });
}

/** Returns the transcript up to the run's question. */
function transcriptUpTo(runs: readonly RecordedRun[], index: number): Transcript {
  const transcript = new Transcript();
  for (const [at, { log, question }] of runs.slice(0, index + 1).entries()) {
    const { messageId } = log[0]!.event as { readonly messageId: string };
    transcript.ask(`${messageId}-user`, { message: question });
    if (at < index) for (const recorded of log) transcript.apply(recorded);
  }
  return transcript;
}

function buildThread(runs: readonly RecordedRun[], index: number) {
  const history = transcriptUpTo(runs, index).entries.map((entry) => toAgUiMessage(entry, '1.0'));
  return { threadId: 'thread', runId: runs[index]!.runId, history, earlier: earlierLog(runs, index) };
}

/** Returns the events of the earlier runs of this message. */
function earlierLog(runs: readonly RecordedRun[], index: number): RecordedEvent[] {
  const getMessageId = ({ log }: RecordedRun) => (log[0]!.event as { readonly messageId: string }).messageId;
  const own = getMessageId(runs[index]!);
  return runs.slice(0, index).flatMap((run) => (getMessageId(run) === own ? run.log : []));
}

/** Returns the inputs that the run before stopped for, with the answers that the run begins with. */
function approvalsBefore(runs: readonly RecordedRun[], index: number): RequestedInput[] {
  const answers = new Map<string, RecordedDecision>();
  for (const { event, at } of runs[index]!.log)
    if (event.type === 'input-answer' && event.decision !== 'answer')
      answers.set(event.inputId, { decision: event.decision, by: event.by, at });
  return (runs[index - 1]?.log ?? []).flatMap(({ event }): RequestedInput[] => {
    if (event.type !== 'input-request') return [];
    const answer = answers.get(event.inputId);
    return [{ ...event, ...(answer && { answer }) }];
  });
}

const toLines = (chunks: readonly unknown[]) => chunks.map((chunk) => `${JSON.stringify(chunk)}\n`).join('');

describe.each(Object.entries(PROTOCOLS))('the output of the protocol %s', (protocol, createMapper) => {
  describe.each(conversations())('for the conversation %s', (conversation) => {
    const runs = readRuns(conversation);

    it('writes the same protocol output for a recorded run as before', () => {
      const now = runs.map(({ log }, index) => toLines(log.flatMap(createMapper(runs, index)))).join('\n');
      expect(now).toBe(saidBefore(conversation, protocol, now));
    });

    it('adds to the protocol output as the log grows, and changes nothing of it', () => {
      for (const [index, { log }] of runs.entries()) {
        const whole = toLines(log.flatMap(createMapper(runs, index)));
        for (const end of log.keys())
          expect(whole.startsWith(toLines(log.slice(0, end).flatMap(createMapper(runs, index))))).toBe(true);
      }
    });
  });
});
