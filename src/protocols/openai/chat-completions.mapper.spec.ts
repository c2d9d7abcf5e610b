import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { ChatCompletionStream } from 'openai/lib/ChatCompletionStream';
import type { RecordedEvent } from '../../events/recorded-event.js';
import { foldRun } from '../../events/run-view.js';
import { runLogs } from '../../testing/log.arbitrary.js';
import { createChatCompletionsMapper } from './chat-completions.mapper.js';
import { jsonLines } from './openai.testing.js';

const FACTS = { id: 'chatcmpl-run', created: 1, model: 'random' };

const chunksOf = (log: readonly RecordedEvent[], includeUsage = false) =>
  log.flatMap(createChatCompletionsMapper(FACTS, { includeUsage }));

/** The words that were said, in the order in which they came; undefined when some were taken back, or the run failed. */
function wordsOf(log: readonly RecordedEvent[]): string | undefined {
  const view = foldRun('run', log);
  const begun = new Set(log.flatMap(({ event }) => (event.type === 'text-start' ? [event.partId] : [])));
  const kept = view.parts.flatMap((part) => (part.kind === 'text' ? [part.partId] : []));
  if (begun.size !== kept.length || view.status === 'failed') return undefined;
  const asked = new Set<string>();
  return log.reduce((text, { event }) => {
    if (event.type === 'text-start') return event.partId === kept[0] ? text : `${text}\n\n`;
    if (event.type === 'approval-request') {
      if (asked.has(event.approvalId)) return text;
      asked.add(event.approvalId);
      return `${text}\n\nThis needs an approval: ${event.label}`;
    }
    return event.type === 'text-delta' ? text + event.delta : text;
  }, '');
}

describe('a run as a chat completion', () => {
  it("satisfies openai's own helper with all the words, or fails, whatever the run did", async () => {
    await fc.assert(
      fc.asyncProperty(runLogs(), async (log) => {
        const chunks = chunksOf(log);
        const words = wordsOf(log);
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

  it('says the tokens last, to whoever asks for them', () => {
    const [log = []] = fc.sample(
      runLogs().filter((candidate) => wordsOf(candidate) !== undefined),
      { numRuns: 1, seed: 1 },
    );
    expect(chunksOf(log, true).at(-1)).toEqual({
      ...FACTS,
      object: 'chat.completion.chunk',
      choices: [],
      usage: { prompt_tokens: 2, completion_tokens: 3, total_tokens: 5 },
    });
    expect(chunksOf(log, true).slice(0, -1)).toEqual(chunksOf(log));
  });

  it('says nothing after it has failed', () => {
    fc.assert(
      fc.property(runLogs(), (log) => {
        const failed = chunksOf(log).findIndex((chunk) => 'error' in chunk);
        expect([-1, chunksOf(log).length - 1]).toContain(failed);
      }),
    );
  });
});
