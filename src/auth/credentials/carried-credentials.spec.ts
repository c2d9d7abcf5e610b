import { describe, expect, it } from '@jest/globals';
import { readApiKey, readBearer, cookiesNamed } from './carried-credentials.js';

describe('the credentials of a request', () => {
  it.each([
    ['Bearer abc', 'abc'],
    ['bearer  abc ', 'abc'],
    ['Basic abc', undefined],
    ['Bearer', undefined],
    ['Bearer a b', undefined],
    [undefined, undefined],
  ])('reads Authorization %j as the token %j', (authorization, token) => {
    expect(readBearer({ headers: { authorization } })).toBe(token);
  });

  it('prefers X-API-Key to the bearer token', () => {
    expect(readApiKey({ headers: { 'x-api-key': 'key', authorization: 'Bearer abc' } })).toBe('key');
    expect(readApiKey({ headers: { authorization: 'Bearer abc' } })).toBe('abc');
  });

  it.each([
    ['session=abc', ['abc']],
    ['other=1; session=a=b; more=2', ['a=b']],
    ['session=abc; session=planted', ['abc', 'planted']],
    ['xsession=abc; =abc; session', []],
    [undefined, []],
  ])('reads the cookies %j as the sessions %j', (cookie, sessions) => {
    expect(cookiesNamed({ headers: { cookie } }, 'session')).toEqual(sessions);
  });
});
