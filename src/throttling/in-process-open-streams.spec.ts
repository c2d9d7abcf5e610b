import { describe, expect, it } from '@jest/globals';
import { InProcessOpenStreams } from './in-process-open-streams.js';

const ada = { userId: 'ada', tenant: 'acme' };

describe('InProcessOpenStreams', () => {
  it('limits the open streams of a principal and frees a slot at each release', async () => {
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

  it('releases the slot of a stream once, even if the release is called again', async () => {
    const streams = new InProcessOpenStreams(2);
    const release = await streams.acquire(ada);
    await streams.acquire(ada);
    release();
    release();
    await streams.acquire(ada);
    await expect(streams.acquire(ada)).rejects.toMatchObject({ code: 'TOO_MANY_STREAMS' });
  });

  it('counts the streams of principals apart, even if their joined names are equal', async () => {
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

  it('keeps nothing in memory once all streams are released', async () => {
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
