// The AI SDK's `streamText` on node:http. It knows nothing of LangGraph: the scripted words come from a model of its own kind,
// so there is no graph to run, no state and no persistence.
import { createServer } from 'node:http';
import { streamText } from 'ai';
import { parseScript, streamTokens } from '../support/scripted.model.mjs';
import { listen, promptIn } from './listening.mjs';

const usage = { inputTokens: { total: 1 }, outputTokens: { total: 1 } };

const model = {
  specificationVersion: 'v4',
  provider: 'bench',
  modelId: 'scripted',
  supportedUrls: {},
  doStream: async ({ prompt, abortSignal }) => {
    const text = prompt.findLast(({ role }) => role === 'user').content[0].text;
    return { stream: ReadableStream.from(streamParts(parseScript(text), abortSignal)) };
  },
};

async function* streamParts(script, signal) {
  yield { type: 'stream-start', warnings: [] };
  yield { type: 'text-start', id: '1' };
  for await (const delta of streamTokens(script, signal)) yield { type: 'text-delta', id: '1', delta };
  yield { type: 'text-end', id: '1' };
  yield { type: 'finish', finishReason: { unified: 'stop' }, usage };
}

listen(
  createServer(async (request, response) => {
    const prompt = await promptIn(request);
    const left = new AbortController();
    response.once('close', () => left.abort());
    await streamText({ model, prompt, abortSignal: left.signal }).pipeUIMessageStreamToResponse(response);
  }),
);
