import { describe, expect, it } from '@jest/globals';
import { InProcessOpenStreams } from './in-process.open-streams.js';

const ada = { userId: 'ada', tenant: 'acme' };

describe('the open streams of a principal', () => {
  it('have a limit, and a place is free again when one is released', async () => {
    const streams = new InProcessOpenStreams(2);
    const release = await streams.acquire(ada);
    await streams.acquire(ada);
    await expect(streams.acquire(ada)).rejects.toMatchObject({
      code: 'TOO_MANY_STREAMS',
      retryable: true,
      options: { details: { retryAfterSeconds: 5 } },
    });
    release();
    await expect(streams.acquire(ada)).resolves.toBeInstanceOf(Function);
  });

  it('are released once, however often that is asked', async () => {
    const streams = new InProcessOpenStreams(2);
    const release = await streams.acquire(ada);
    await streams.acquire(ada);
    release();
    release();
    await streams.acquire(ada);
    await expect(streams.acquire(ada)).rejects.toMatchObject({ code: 'TOO_MANY_STREAMS' });
  });

  it('take nobody else’s place, also when names look alike', async () => {
    const streams = new InProcessOpenStreams(1);
    const others = [
      ada,
      { userId: 'ada', tenant: 'initech' },
      { userId: 'b', tenant: 'acme,ada' },
      { userId: 'ada,b', tenant: 'acme' },
    ];
    for (const owner of others) await streams.acquire(owner);
    expect(streams.principals).toBe(4);
  });

  it('leave nothing behind in memory', async () => {
    const streams = new InProcessOpenStreams(2);
    for (let user = 0; user < 1000; user++) {
      const places = [
        await streams.acquire({ userId: `u${user}`, tenant: 't' }),
        await streams.acquire({ userId: `u${user}`, tenant: 't' }),
      ];
      for (const release of places) release();
    }
    expect(streams.principals).toBe(0);
  });
});
