import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { ChatCompletionStream } from 'openai/lib/ChatCompletionStream';
import { describeRequest } from '../../events/requested-input.js';
import type { RecordedEvent } from '../../events/recorded-event.js';
import type { FilePut, RunEvent, TextStart } from '../../events/run-event.js';
import { foldRun } from '../../events/run-view.js';
import { isInsideCall } from '../../events/subagent.js';
import { runLogs } from '../../../test/harness/log-arbitrary.js';
import { createChatCompletionsMapper } from './chat-completions.mapper.js';
import { toAddressElsewhere } from '../../events/file-address.js';
import { toFileText } from './openai-files.js';
import { jsonLines } from './openai.testing.js';

const FACTS = { id: 'chatcmpl-run', created: 1, model: 'random' };

const mapLog = (log: readonly RecordedEvent[], includeUsage = false) =>
  log.flatMap(createChatCompletionsMapper(FACTS, { includeUsage }));

/** The words that were said, in the order in which they came; undefined when some were taken back, or the run failed. */
function isCalledPart(event: RunEvent): event is TextStart {
  return event.type === 'text-start' && isInsideCall(event);
}

/** A file that a call has given, or an agent that a call works for, has no word here. */
function isSaid(event: RunEvent): event is TextStart | FilePut {
  if (event.type === 'file') return event.toolCallId === undefined && !isInsideCall(event);
  return event.type === 'text-start';
}

function readText(all: readonly RecordedEvent[]): string | undefined {
  // The API has no word for agents that a tool calls.
  const called = new Set(all.flatMap(({ event }) => (isCalledPart(event) ? [event.partId] : [])));
  const log = all.filter(({ event }) => !('partId' in event && called.has(event.partId)));

  const view = foldRun('run', log);
  const begun = new Set(log.flatMap(({ event }) => (isSaid(event) ? [event.partId] : [])));
  const kept = view.parts.flatMap((part) =>
    part.kind === 'text' || (part.kind === 'file' && begun.has(part.partId)) ? [part.partId] : [],
  );
  if (begun.size !== kept.length || view.status === 'failed') return undefined;
  const asked = new Set<string>();
  return log.reduce((text, { event }) => {
    if (isSaid(event)) {
      const words = event.type === 'file' ? toFileText(event, toAddressElsewhere) : '';
      return `${text}${event.partId === kept[0] ? '' : '\n\n'}${words}`;
    }
    if (event.type === 'input-request') {
      if (asked.has(event.inputId)) return text;
      asked.add(event.inputId);
      return `${text}\n\nThis needs an approval: ${describeRequest(event)}`;
    }
    return event.type === 'text-delta' ? text + event.delta : text;
  }, '');
}

describe('createChatCompletionsMapper', () => {
  it("gives OpenAI's own client the whole text of any run, or an error", async () => {
    await fc.assert(
      fc.asyncProperty(runLogs(), async (log) => {
        const chunks = mapLog(log);
        const words = readText(log);
        const last = chunks.at(-1) ?? {};
        expect('error' in last).toBe(words === undefined);
        if (words === undefined) return;
        const completion = await ChatCompletionStream.fromReadableStream(
          jsonLines(chunks),
        ).finalChatCompletion();
        expect(completion.choices).toMatchObject([
          { finish_reason: 'stop', message: { role: 'assistant', content: words } },
        ]);
      }),
    );
  });

  it('sends the token counts last, to a client that asks for them', () => {
    const [log = []] = fc.sample(
      runLogs().filter((candidate) => readText(candidate) !== undefined),
      { numRuns: 1, seed: 1 },
    );
    expect(mapLog(log, true).at(-1)).toEqual({
      ...FACTS,
      object: 'chat.completion.chunk',
      choices: [],
      usage: { prompt_tokens: 2, completion_tokens: 3, total_tokens: 5 },
    });
    expect(mapLog(log, true).slice(0, -1)).toEqual(mapLog(log));
  });

  it('sends nothing after the error of a failed run', () => {
    fc.assert(
      fc.property(runLogs(), (log) => {
        const failed = mapLog(log).findIndex((chunk) => 'error' in chunk);
        expect([-1, mapLog(log).length - 1]).toContain(failed);
      }),
    );
  });
});
