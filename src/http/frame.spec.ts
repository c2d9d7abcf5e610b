import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { EventSource } from 'eventsource';
import { createParser } from 'eventsource-parser';
import * as fc from 'fast-check';
import { Frame, HEARTBEAT } from './frame.js';

/** `LONG=1` tries ten times as many frames. */
const MANY = process.env['LONG'] ? 100_000 : 10_000;

/** A frame as it has to arrive: field for field the input, as far as SSE can carry it. */
interface Seen {
  readonly id: string | undefined;
  readonly event: string | undefined;
  readonly data: string;
}

// What SSE gives a meaning to, and what breaks careless encoders; between any other text.
const SPECIAL = [
  '\r',
  '\n',
  '\r\n',
  '\0',
  '\uFEFF',
  '\u2028',
  '\u2029',
  '\u0085',
  '\v',
  '\f',
  '\uD800',
  '\uDFFF',
  '🙂',
  ' ',
  ':',
  '"',
  '\\',
];
const INJECTIONS = [
  '\n\nid: 9\nevent: end\ndata: {}\n\n',
  '\rdata: x\r\r',
  'id: 9',
  'data:',
  'retry: 1',
  ': comment',
];
const piece = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...SPECIAL) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 6 }) },
  { weight: 1, arbitrary: fc.constantFrom(...INJECTIONS) },
);
const text = fc.array(piece, { maxLength: 5 }).map((pieces) => pieces.join(''));
/** JSON of any text, as all our data is. */
const json = text.map((value) => JSON.stringify({ type: 'text-delta', delta: value }));
const id = fc.oneof(fc.constantFrom('run.1.1', 'run.1.2'), text);
const type = fc.oneof(fc.constantFrom('text-delta', 'end'), text);
const retry = fc.option(fc.nat(), { nil: undefined });

const anyFrame = fc
  .tuple(id, type, json, retry)
  .map(([id, type, data, retry]) => new Frame(id, type, data, retry));

describe('Frame', () => {
  it('passes a frame through a parser as written, for any field values and any cut of the bytes', () => {
    fc.assert(
      fc.property(
        fc.array(anyFrame, { maxLength: 3 }),
        fc.array(fc.nat(), { maxLength: 4 }),
        (frames, cuts) => {
          const stream = `\n${frames.map((frame) => frame.text).join(HEARTBEAT)}`;
          expect(parse(splitInto(stream, cuts))).toEqual(frames.map(expected));
        },
      ),
      { numRuns: MANY },
    );
  });

  it('carries data in a frame that is not JSON, with line ends normalized', () => {
    fc.assert(
      fc.property(text, fc.array(fc.nat(), { maxLength: 4 }), (data, cuts) => {
        const [seen] = parse(splitInto(new Frame('a.1.1', 'x', data).text, cuts));
        // Half of a surrogate pair cannot be said in UTF-8; JSON escapes it, bare text cannot.
        expect(seen?.data).toBe(data.toWellFormed().replace(/\r\n|\r/g, '\n'));
      }),
      { numRuns: MANY / 5 },
    );
  });

  it('uses LF as the only line end of a frame and ends it with one blank line', () => {
    fc.assert(
      fc.property(id, type, text, retry, (id, type, data, retry) => {
        const wire = new Frame(id, type, data, retry).text;
        expect(wire).not.toContain('\r');
        expect(wire.endsWith('\n\n')).toBe(true);
        expect(wire.trimEnd().split('\n\n')).toHaveLength(1);
      }),
      { numRuns: MANY / 5 },
    );
  });

  it('carries a megabyte of data in a frame', () => {
    const data = JSON.stringify({ delta: 'line\nline\r\n'.repeat(100_000) });
    expect(parse(splitInto(new Frame('a.1.1', 'x', data).text, [1, 70_000, 500_001]))).toEqual([
      { id: 'a.1.1', event: 'x', data },
    ]);
  });

  it('writes id, event, retry and data of a frame as lines', () => {
    const frame = new Frame('a.1.1', 'x', '{}', 5);
    expect(frame.text).toBe('id: a.1.1\nevent: x\nretry: 5\ndata: {}\n\n');
  });

  it('gives a real EventSource the same frames as the parser', async () => {
    const frames = fc
      .sample(fc.tuple(id, json), { numRuns: 3_000, seed: 42 })
      // An EventSource only tells of event names that it was asked about.
      .map(([id, data]) => new Frame(id, 'said', data));
    const stream = frames.map((frame) => frame.text).join('');
    const last = new Frame('last.1.1', 'end', '{}');

    const seen = await readWithEventSource((response) => {
      for (const chunk of splitInto(stream, [7, 1_000, 70_001, 100_000])) response.write(chunk);
      response.write(last.text);
    });

    expect(seen).toHaveLength(3_000);
    expect(seen).toEqual(parse(splitInto(stream, [])));
  });
});

/** An id without its line ends and NULs; an empty id or event name is one that SSE does not report. */
function expected({ id, type, data }: Frame): Seen {
  const oneLine = (field: string) => field.replace(/[\r\n\0]/g, '').toWellFormed();
  return { id: oneLine(id), event: oneLine(type) || undefined, data };
}

function parse(chunks: readonly Uint8Array[]): Seen[] {
  const seen: Seen[] = [];
  const parser = createParser({ onEvent: ({ id, event, data }) => seen.push({ id, event, data }) });
  const decoder = new TextDecoder();
  for (const chunk of chunks) parser.feed(decoder.decode(chunk, { stream: true }));
  return seen;
}

/** The bytes of a stream, cut anywhere: also inside a character. */
function splitInto(stream: string, cuts: readonly number[]): Uint8Array[] {
  const bytes = Buffer.from(stream);
  const places = cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b);
  return [...places, bytes.length].map((place, index) => bytes.subarray(places[index - 1] ?? 0, place));
}

async function readWithEventSource(write: (response: ServerResponse) => void): Promise<Seen[]> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    write(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const source = new EventSource(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  try {
    const seen: Seen[] = [];
    await new Promise<void>((resolve, reject) => {
      source.addEventListener('said', ({ lastEventId, data }) =>
        seen.push({ id: lastEventId, event: 'said', data: String(data) }),
      );
      source.addEventListener('end', () => resolve());
      source.addEventListener('error', reject);
    });
    return seen;
  } finally {
    source.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}
