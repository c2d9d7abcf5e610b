// better-sse: a session per reader, and a channel for all of them.
import { createServer } from 'node:http';
import { createChannel, createSession } from 'better-sse';
import { listen } from '../servers/listening.mjs';
import { onSpeech, READY } from './speech.mjs';

const channel = createChannel();
onSpeech((events) => {
  for (const { id, type, data } of events) channel.broadcast(data, type, { eventId: id });
});

listen(
  createServer(async (request, response) => {
    const session = await createSession(request, response);
    session.push(READY.data, READY.type, READY.id);
    channel.register(session);
  }),
);
