import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { ResponseStream } from 'openai/lib/responses/ResponseStream';
import type { RecordedEvent } from '../../events/recorded-event.js';
import { foldRun, type ViewPart } from '../../events/run-view.js';
import { isInsideCall } from '../../events/subagent.js';
import { continuedRuns, runLogs } from '../../../test/harness/log-arbitrary.js';
import { toAddressElsewhere } from '../../events/file-address.js';
import { toFileText } from './openai-files.js';
import { jsonLines } from './openai.testing.js';
import { ResponsesMapper } from './responses.mapper.js';
import type { OutputItem } from './responses.types.js';

const FACTS = {
  id: 'resp_run',
  object: 'response',
  created_at: 1,
  background: false,
  conversation: { id: 'thread' },
  incomplete_details: null,
  instructions: null,
  metadata: {},
  model: 'random',
  parallel_tool_calls: true,
  previous_response_id: null,
  temperature: null,
  tool_choice: 'auto',
  tools: [],
  top_p: null,
} as const;

const mapLog = (log: readonly RecordedEvent[]) => log.flatMap(new ResponsesMapper(FACTS).map);

/** Returns the visible text of an item of the output. */
function shown(item: OutputItem) {
  if (item.type === 'message' || item.type === 'reasoning') return item.content[0]?.text ?? '';
  if (item.type === 'mcp_approval_request') return item.name;
  return [item.name, item.status];
}

/** Output of an agent that a tool calls: the API has no word for it. */
function isUnsaid(part: ViewPart): boolean {
  if (part.kind === 'source') return true;
  if (part.kind === 'file') return part.toolCallId !== undefined || isInsideCall(part);
  return (part.kind === 'text' || part.kind === 'reasoning') && isInsideCall(part);
}

function expected(part: ViewPart): unknown {
  if (part.kind === 'text' || part.kind === 'reasoning') return part.text;
  if (part.kind === 'file') return toFileText(part, toAddressElsewhere);
  if (part.kind === 'tool') return [part.toolName, part.outcome === 'ok' ? 'completed' : 'failed'];
  return part.kind === 'approval' ? part.toolName : undefined;
}

describe('ResponsesMapper', () => {
  it("gives OpenAI's own client for any run the output that other viewers see", async () => {
    await fc.assert(
      fc.asyncProperty(runLogs(), async (log) => {
        const mapper = new ResponsesMapper(FACTS);
        const final = await ResponseStream.fromReadableStream(
          jsonLines(log.flatMap(mapper.map)),
        ).finalResponse();
        expect(final.output).toMatchObject(mapper.response.output);
        expect(final.status).toBe(mapper.response.status);
        const { parts: all } = foldRun('run', log);
        // The API has no word for these.
        const parts = all
          .filter(({ kind }) => kind !== 'custom' && kind !== 'person')
          .filter((part) => !isUnsaid(part));
        expect(mapper.response.output.map(shown)).toEqual(parts.map(expected));
      }),
    );
  });

  it('names the approval of each call that the earlier response asked for', async () => {
    await fc.assert(
      fc.asyncProperty(continuedRuns(), async ({ before, inputs, log }) => {
        const asked = new ResponsesMapper(FACTS);
        for (const recorded of before) asked.map(recorded);
        const requests = asked.response.output.filter(({ type }) => type === 'mcp_approval_request');
        expect(requests.map(({ id }) => id)).toEqual(inputs.map(({ inputId }) => inputId));

        const mapper = new ResponsesMapper(FACTS, inputs);
        const final = await ResponseStream.fromReadableStream(
          jsonLines(log.flatMap(mapper.map)),
        ).finalResponse();
        const named = final.output.flatMap((item) =>
          item.type === 'mcp_call' && item.approval_request_id ? [item.approval_request_id] : [],
        );
        const made = foldRun('next', log).parts.flatMap((part) => {
          const approval = inputs.find(
            ({ toolCallId }) => part.kind === 'tool' && part.toolCallId === toolCallId,
          );
          return approval ? [approval.inputId] : [];
        });
        expect(named).toEqual(made);
      }),
    );
  });

  it('numbers the events of a response from 0 without gaps, and the same in every replay', () => {
    fc.assert(
      fc.property(runLogs(), fc.nat(), (log, cut) => {
        const events = mapLog(log);
        expect(events.map(({ sequence_number }) => sequence_number)).toEqual(events.map((_, index) => index));
        const soFar = mapLog(log.slice(0, cut % log.length));
        expect(events.slice(0, soFar.length)).toEqual(soFar);
      }),
    );
  });

  it('gives each output item its own index and an end', () => {
    fc.assert(
      fc.property(runLogs(), (log) => {
        const listPlaces = (type: string) =>
          mapLog(log).flatMap((event) =>
            'item' in event && event.type === type ? [`${event.output_index} ${event.item.id}`] : [],
          );
        const begun = listPlaces('response.output_item.added');
        expect(begun.map((place) => Number.parseInt(place, 10))).toEqual(begun.map((_, index) => index));
        expect(new Set(begun.map((place) => place.split(' ')[1])).size).toBe(begun.length);
        expect(new Set(listPlaces('response.output_item.done'))).toEqual(new Set(begun));
      }),
    );
  });
});
