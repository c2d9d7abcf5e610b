import { afterAll, beforeAll } from '@jest/globals';
import { RedisServer } from './redis.server.js';

/** The Redis of a spec file: that of REDIS_URL, or one of its own. Where there is none, the tests that need it are left out. */
export interface TestRedis {
  readonly isThere: boolean;
  readonly url: string;
}

/**
 * @param env the environment of the process, for `REDIS_URL` and `REQUIRE_REDIS`
 * @throws Error when there is none although REQUIRE_REDIS says that there has to be one
 */
export function redisForTests(env: Readonly<Record<string, string | undefined>>): TestRedis {
  const given = env['REDIS_URL'];
  const isThere = given !== undefined || RedisServer.isInstalled;
  if (!isThere) {
    leaveOut(env);
    return { isThere, url: '' };
  }
  let server: RedisServer | undefined;
  beforeAll(async () => {
    if (given === undefined) server = await RedisServer.start();
  });
  afterAll(() => server?.stop());
  return {
    isThere,
    get url() {
      return given ?? server?.url ?? '';
    },
  };
}

/** True if the tests that kill their Redis can run: they need one of their own. Otherwise as {@link redisForTests}. */
export function hasRedisServer(env: Readonly<Record<string, string | undefined>>): boolean {
  if (!RedisServer.isInstalled) leaveOut(env);
  return RedisServer.isInstalled;
}

function leaveOut(env: Readonly<Record<string, string | undefined>>): void {
  if (env['REQUIRE_REDIS']) throw new Error('REQUIRE_REDIS is set and there is no redis-server on the PATH.');
  process.stderr.write('\nSKIPPED: tests on Redis. Install redis-server, or set REDIS_URL.\n\n');
}
