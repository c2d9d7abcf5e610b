import { describe, expect, it } from '@jest/globals';
import { apiKeyOf, bearerOf, cookieOf } from './carried-credentials.js';

describe('the credentials that a request carries', () => {
  it.each([
    ['Bearer abc', 'abc'],
    ['bearer  abc ', 'abc'],
    ['Basic abc', undefined],
    ['Bearer', undefined],
    ['Bearer a b', undefined],
    [undefined, undefined],
  ])('are, in Authorization %j, the token %j', (authorization, token) => {
    expect(bearerOf({ headers: { authorization } })).toBe(token);
  });

  it('are the X-API-Key before the bearer token', () => {
    expect(apiKeyOf({ headers: { 'x-api-key': 'key', authorization: 'Bearer abc' } })).toBe('key');
    expect(apiKeyOf({ headers: { authorization: 'Bearer abc' } })).toBe('abc');
  });

  it.each([
    ['session=abc', 'abc'],
    ['other=1; session=a=b; more=2', 'a=b'],
    ['xsession=abc; =abc; session', undefined],
    [undefined, undefined],
  ])('are, in the cookies %j, the session %j', (cookie, session) => {
    expect(cookieOf({ headers: { cookie } }, 'session')).toBe(session);
  });
});
