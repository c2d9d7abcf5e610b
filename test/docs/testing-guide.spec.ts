import { describe, expect, it } from '@jest/globals';
import { createAnswer } from '../../src/testing/scripted.agent.js';
import { chatServers, gate } from '../support/chat.server.js';

// Shown in docs/guides/testing.md, word for word.
describe('cancelled run', () => {
  const start = chatServers();

  it('keeps the partial text of a cancelled run', async () => {
    const half = gate();
    const server = await start({
      play: async (_input, context) => {
        for (const event of createAnswer(context, ['Half a sentence']).slice(0, 3)) void context.emit(event);
        await context.recorded();
        half.open();
        await new Promise((resolve) => context.signal.addEventListener('abort', resolve));
      },
    });

    const stream = await server.ask({ message: 'hello' });
    await half.opened;
    const { runId } = (await stream.frame('ready')).data;
    await server.call('POST', `/runs/${String(runId)}/cancel`);

    expect(await stream.closed()).toBe('end');
    expect(stream.text).toBe('Half a sentence');
    expect((await stream.frame('end')).data).toMatchObject({ outcome: 'cancelled' });
  });
});
