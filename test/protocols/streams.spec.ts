import { describe, expect, it } from '@jest/globals';
import { parseCursor } from '../../src/events/cursor.js';
import { MemoryStorage } from '../../src/storage/memory/memory.storage.js';
import { chatServers, gate, type Play } from '../support/chat.server.js';
import { EventStream } from '../support/event-stream.js';
import { everything, nineWords } from '../support/plays.js';

const start = chatServers();
const serve = (play: Play, options = {}) => start({ play, protocols: {}, ...options });

/** Asks for a response and watches it: the protocol with the most frames for one event. */
async function respond(url: string): Promise<EventStream> {
  return EventStream.open(`${new URL(url).origin}/protocols/openai/v1/responses`, {
    method: 'POST',
    body: { model: 'scripted', input: 'hello', background: true, stream: true },
  });
}

describe('streams of all protocols', () => {
  it('gives the last frame of an event its id, and every earlier frame the id of the previous event', async () => {
    const stream = await respond((await serve(everything)).url);
    expect(await stream.closed()).toBe('end');
    const seqs = stream.frames.map(({ id }) => parseCursor(id)?.seq ?? -1);
    const listIds = (type: string) =>
      stream.frames.flatMap(({ event }, at) => (event === type ? [seqs[at]!] : []));
    expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
    // The first event of the run is two frames, and a reader that has only the first of them has nothing yet.
    expect(seqs.slice(0, 2)).toEqual([0, 1]);
    // `text-start` is two frames, too; and `text-end` is three.
    const [begun] = listIds('response.content_part.added');
    expect(listIds('response.output_item.added')[0]).toBeLessThan(begun!);
    const [said, part, item] = ['output_text.done', 'content_part.done', 'output_item.done'].map(
      (name) => listIds(`response.${name}`)[0]!,
    );
    expect(said).toBe(part);
    expect(item).toBeGreaterThan(part!);
  });

  it('sends the headers of a stream before the run emits anything', async () => {
    const rest = gate();
    const stream = await respond((await serve(() => rest.opened)).url);
    expect(stream.status).toBe(200);
    expect(stream.response.headers['x-accel-buffering']).toBe('no');
    rest.open();
    expect(await stream.closed()).toBe('end');
  });

  it('breaks the connection of a stream when its log cannot be read any further', async () => {
    const storage = new MemoryStorage();
    const first = await respond((await serve(nineWords, { storage })).url);
    await first.closed();
    const { id } = first.frames[0]!.data['response'] as { id: string };
    const runId = id.replace('resp_', '');

    // Another instance, which has nothing of the run in memory.
    const { url } = await serve(nineWords, { storage });
    const read = storage.log.readPage.bind(storage.log);
    storage.log.readPage = async (...[run, afterSeq, limit]) => {
      if (afterSeq > 0) throw new Error('disk on fire');
      const page = await read(run, 0, limit);
      return { ...page, events: page.events.slice(0, 5) };
    };
    const stream = await EventStream.open(
      `${new URL(url).origin}/protocols/openai/v1/responses/${id}?stream=true`,
    );
    await stream.frame('response.output_text.delta');
    storage.wakeups.notify(`log:${runId}`);
    expect(await stream.closed()).toBe('cut');
    expect(stream.frames).toEqual(first.frames.slice(0, stream.frames.length));
    expect(stream.frames.length).toBeLessThan(first.frames.length);
  });
});
