import { describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { redactUrl, SECRET_LOG_PATHS } from './redact.js';

describe('redactUrl', () => {
  it.each([
    ['/runs/r1/events?ticket=abc.def', '/runs/r1/events?ticket=[redacted]'],
    ['/e?lastEventId=r1.1.2&ticket=abc&x=1#t', '/e?lastEventId=r1.1.2&ticket=[redacted]&x=1#t'],
    ['/e?ticket=a&ticket=b', '/e?ticket=[redacted]&ticket=[redacted]'],
    ['/oidc/callback?code=abc&state=s', '/oidc/callback?code=[redacted]&state=s'],
    ['/e?%74icket=abc', '/e?%74icket=[redacted]'],
    ['/e?note=ticket&%E0%A4%A=1', '/e?note=ticket&%E0%A4%A=1'],
  ])('redacts the logged URL %s to %s', (url, logged) => {
    expect(redactUrl(url)).toBe(logged);
  });
});

it('shows no credential in a logged request', () => {
  const lines: string[] = [];
  const logger = pino(
    { redact: { paths: [...SECRET_LOG_PATHS] } },
    { write: (line: string) => void lines.push(line) },
  );
  const headers = {
    authorization: 'SECRET',
    cookie: 'SECRET',
    'x-api-key': 'SECRET',
    referer: '/?ticket=SECRET',
  };
  logger.info({
    req: { headers, query: { ticket: 'SECRET', code: 'SECRET' } },
    res: { headers: { 'set-cookie': 'SECRET' } },
  });
  expect(lines).toHaveLength(1);
  expect(lines.join()).not.toContain('SECRET');
});
