import { describe, expect, it } from '@jest/globals';
import { readSessionCookie, sessionCookie } from './session-cookie.js';

const OIDC = { issuer: 'https://id.example.com', clientId: 'chat' };
const toOptions = (origin: string) => ({
  oidc: { ...OIDC, redirectUri: `${origin}/api/auth/session/oidc/callback` },
});

describe('session cookie', () => {
  it.each([
    ['https, as the framework sees it', {}, 'https', true],
    ['https, by a proxy that is not trusted', toOptions('https://chat.example.com'), 'http', true],
    ['http', toOptions('http://127.0.0.1:3000'), 'http', false],
  ])('is for this host alone where browsers come by %s', (_how, options, protocol, isSecure) => {
    const line = sessionCookie(options, { headers: {}, protocol }, { value: 'v', maxAge: 60 });
    expect(line.includes('; Secure')).toBe(isSecure);
    expect(line.startsWith('__Host-')).toBe(isSecure);
    const [pair] = line.split(';');
    expect(readSessionCookie(options, { headers: { cookie: pair }, protocol })).toBe('v');
  });
});
