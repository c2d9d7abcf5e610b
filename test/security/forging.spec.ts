import { createHash, hkdfSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { SignJWT } from 'jose';
import { appServers } from '../support/app.server.js';
import { postJson } from '../support/post-json.js';

const ALICE_TOKEN_SECRET = 'the secret that the issuer signs with';
const MONITOR_KEY = 'key-of-the-monitor-0123456789';
const JWT = {
  AUTH_JWT_SECRET: ALICE_TOKEN_SECRET,
  AUTH_ISSUER: 'https://id.example',
  AUTH_AUDIENCE: 'agent-stream',
};
const KEYS = { AUTH_API_KEYS: `${MONITOR_KEY}:monitor@ops` };

/** All that somebody could take for the secret who knows the source code and these credentials. */
function derivable(credentials: readonly string[]): Uint8Array[] {
  const sorted = credentials.toSorted();
  const texts = [
    ...credentials,
    JSON.stringify(sorted),
    ...credentials.map((each) => JSON.stringify([each])),
  ];
  const secrets = [...texts, sorted.join(',')].map((text) => Buffer.from(text));
  return secrets.flatMap((secret) => [
    secret,
    createHash('sha256').update(secret).digest(),
    ...['session', 'stream-ticket'].map((purpose) => {
      const info = `nestjs-agent-stream ${purpose}`;
      return new Uint8Array(hkdfSync('sha256', secret, '', info, 32));
    }),
  ]);
}

/** Cookies and tickets that say they are alice's, as they are really made but for the key. */
function forge(
  secret: Uint8Array,
  purpose: 'session' | 'stream-ticket',
  aud: string,
  like?: string,
): Promise<string> {
  const [header, payload] = (like?.split('.').slice(0, 2) ?? []).map(
    (part) => JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>,
  );
  return new SignJWT({ ...payload, sub: 'alice', tenant: 'acme', roles: ['*'], aud, exp: 4_102_444_800 })
    .setProtectedHeader({ ...header, alg: 'HS256', typ: `${purpose}+jwt` })
    .sign(secret);
}

describe('credentials of the server', () => {
  const start = appServers();

  it.each([
    ['the only API key, beside tokens', { ...JWT, ...KEYS }, [MONITOR_KEY]],
    ['the only API key', KEYS, [MONITOR_KEY]],
    ['the secret of the tokens', JWT, [ALICE_TOKEN_SECRET]],
  ])('accepts no session and no ticket signed with a credential of the server: %s', async (_, env, held) => {
    const { origin } = await start({ ...env, TRUST_PROXY: 'loopback' });
    const jwt = 'AUTH_JWT_SECRET' in env;
    const own = jwt && held[0] === ALICE_TOKEN_SECRET ? await accessToken('monitor') : MONITOR_KEY;
    const alice = jwt ? await accessToken('alice') : undefined;

    const started = await postJson(
      `${origin}/api/chat/runs`,
      { message: 'a secret of mine' },
      { authorization: `Bearer ${alice ?? own}` },
    );
    const { runId, threadId } = (await started.json()) as { runId: string; threadId: string };
    // What a genuine one looks like, he can see from his own.
    const session = await fetch(`${origin}/api/auth/session`, {
      method: 'POST',
      headers: { authorization: `Bearer ${own}` },
    });
    const like = session.headers.getSetCookie()[0]?.split(';')[0]?.split('=')[1];

    const genuine = await fetch(`${origin}/api/auth/session`, {
      headers: { cookie: `agent-stream-session=${like}` },
    });
    expect(await genuine.json()).toMatchObject({ principal: { userId: 'monitor' } });

    // From another address each time, or the wrong ones would be slowed down.
    let requests = 0;
    const elsewhere = () => ({ 'x-forwarded-for': `10.1.${(requests += 1) >> 8}.${requests & 255}` });
    for (const secret of derivable(held)) {
      for (const model of [undefined, like]) {
        const cookie = await forge(secret, 'session', 'session', model);
        const names = ['agent-stream-session', '__Host-agent-stream-session'];
        for (const name of names) {
          const who = await fetch(`${origin}/api/auth/session`, {
            headers: { cookie: `${name}=${cookie}`, ...elsewhere() },
          });
          expect(await who.json()).toMatchObject({ principal: null });
          const thread = await fetch(`${origin}/api/chat/threads/${threadId}`, {
            headers: { cookie: `${name}=${cookie}`, ...elsewhere() },
          });
          expect(thread.status).not.toBe(200);
        }
        const ticket = await forge(secret, 'stream-ticket', `run-events:${runId}`, model);
        const events = await fetch(`${origin}/api/chat/runs/${runId}/events?ticket=${ticket}`, {
          headers: elsewhere(),
        });
        await events.body?.cancel();
        expect(events.status).not.toBe(200);
      }
    }
  });
});

function accessToken(userId: string): Promise<string> {
  return new SignJWT({ sub: userId, tenant: 'acme', roles: [], iss: JWT.AUTH_ISSUER, aud: JWT.AUTH_AUDIENCE })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime('10m')
    .sign(Buffer.from(ALICE_TOKEN_SECRET));
}
