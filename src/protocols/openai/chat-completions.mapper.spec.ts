import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { ChatCompletionStream } from 'openai/lib/ChatCompletionStream';
import { describeRequest } from '../../events/requested-input.js';
import type { RecordedEvent } from '../../events/recorded-event.js';
import { foldRun } from '../../events/run-view.js';
import { runLogs } from '../../../test/harness/log-arbitrary.js';
import { createChatCompletionsMapper } from './chat-completions.mapper.js';
import { jsonLines } from './openai.testing.js';

const FACTS = { id: 'chatcmpl-run', created: 1, model: 'random' };

const mapLog = (log: readonly RecordedEvent[], includeUsage = false) =>
  log.flatMap(createChatCompletionsMapper(FACTS, { includeUsage }));

/** The words that were said, in the order in which they came; undefined when some were taken back, or the run failed. */
function readText(log: readonly RecordedEvent[]): string | undefined {
  const view = foldRun('run', log);
  const begun = new Set(log.flatMap(({ event }) => (event.type === 'text-start' ? [event.partId] : [])));
  const kept = view.parts.flatMap((part) => (part.kind === 'text' ? [part.partId] : []));
  if (begun.size !== kept.length || view.status === 'failed') return undefined;
  const asked = new Set<string>();
  return log.reduce((text, { event }) => {
    if (event.type === 'text-start') return event.partId === kept[0] ? text : `${text}\n\n`;
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
