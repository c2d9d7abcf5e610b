import { describe, expect, it } from '@jest/globals';
import { appServers } from './support/app.server.js';

const ECHO = 'test/fixtures/echo.graph.mjs';

describe('the agents of the AGENTS setting', () => {
  const start = appServers();

  it('are graphs of a team, which answer beside the assistant and remember their threads', async () => {
    const server = await start({ AGENTS: `echo=${ECHO}#graph` });
    const agents = await fetch(`${server.origin}/api/chat/agents`);
    expect(await agents.json()).toMatchObject({
      default: 'assistant',
      items: [{ name: 'assistant' }, { name: 'echo' }],
    });

    const first = await server.ask({ message: 'one', agent: 'echo' });
    expect(await first.closed()).toBe('end');
    expect(first.text).toBe('You said: one.');
    const { threadId } = first.frames[0]!.data;
    const second = await server.ask({ message: 'two', agent: 'echo', threadId });
    expect(await second.closed()).toBe('end');
    expect(second.text).toBe('You said: one, then two.');
    expect(second.events.map(({ event }) => event)).toEqual([
      'run-start',
      'step-start',
      'custom',
      'text-start',
      'text-delta',
      'text-end',
      'step-end',
      'end',
    ]);
  });

  it('stop the start when they cannot be loaded, and say what to write', async () => {
    await expect(start({ AGENTS: `echo=${ECHO}#grapf` })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(`${ECHO}#graph`),
    });
  });
});
