// Node, twice: with the client of this package, and with nothing but fetch. Both go on after a cut.
//
//   node node.mjs ["a question"]      SERVER=http://127.0.0.1:3000   TOKEN=a JWT or an API key, where the server asks for one
import { setTimeout as sleep } from 'node:timers/promises';
import { EventSource } from 'eventsource';
import { ChatService, getText } from 'nestjs-agent-stream/client';

const { SERVER: server = 'http://127.0.0.1:3000', TOKEN } = process.env;
const headers = TOKEN ? { authorization: `Bearer ${TOKEN}` } : {};
const question = process.argv[2] ?? 'Which countries border Austria?';

console.log('--- with the client');
const chat = new ChatService({ baseUrl: `${server}/api/chat`, headers, EventSource });
const run = await chat.start(question);
// At each event: all that there is to show, whatever happened to the connection in between.
run.subscribe(({ view, connection }) => {
  console.log(`${connection.state}: ${view.seq} events, ${getText(view).length} characters`);
});
const view = await run.result();
for (const part of view.parts) {
  if (part.kind === 'tool') console.log(part.label, part.outcome, part.durationMs, 'ms');
}
console.log(getText(view));

console.log('--- with fetch');
await ask('And Italy?', run.threadId);

/** Asks, and writes the events until the run has ended. */
async function ask(message, threadId) {
  let response = await fetch(`${server}/api/chat`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify({ message, threadId }),
  });
  if (!response.ok) throw new Error((await response.json()).detail);
  const events = new URL(response.headers.get('location'), server);
  let lastId = '';
  for (;;) {
    try {
      for await (const { id, event, data } of readFrames(response.body)) {
        lastId = id;
        console.log(id, event, data);
        if (event === 'end') return;
      }
    } catch (error) {
      console.log('cut:', error.message);
    }
    await sleep(500);
    response = await fetch(events, { headers: { ...headers, 'last-event-id': lastId } });
  }
}

/** The frames of an event stream. This server ends its lines with LF, and writes an event's data in one line. */
async function* readFrames(body) {
  let text = '';
  for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
    const frames = (text + chunk).split('\n\n');
    text = frames.pop();
    for (const frame of frames) {
      const fields = frame.split('\n').map((line) => line.split(/: (.*)/, 2));
      const { id, event, data } = Object.fromEntries(fields);
      // A frame without data is a heartbeat.
      if (data !== undefined) yield { id, event, data };
    }
  }
}
