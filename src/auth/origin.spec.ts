import { describe, expect, it } from '@jest/globals';
import type { IncomingHttpHeaders } from 'node:http';
import { assertLocalCaller, assertOwnOrigin } from './origin.js';

const refused = expect.objectContaining({ code: 'ORIGIN_REFUSED' });

describe('assertLocalCaller', () => {
  it.each<[string, IncomingHttpHeaders]>([
    ['localhost with a port', { host: 'localhost:3000' }],
    ['127.0.0.1', { host: '127.0.0.1' }],
    ['another address of the loopback net', { host: '127.8.9.10:3000' }],
    ['IPv6 loopback', { host: '[::1]:3000' }],
    ['HTTP/2', { ':authority': 'localhost:3000' }],
    ['a page of another local port', { host: 'localhost:3000', origin: 'http://127.0.0.1:5173' }],
    ['an allow-listed page', { host: 'localhost:3000', origin: 'https://dev.example.com' }],
    [
      'a link that a person followed',
      { host: 'localhost', 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' },
    ],
  ])('accepts a local call from %s', (_, headers) => {
    expect(() => assertLocalCaller({ headers }, ['https://dev.example.com'])).not.toThrow();
  });

  it.each<[string, IncomingHttpHeaders]>([
    ['a name that was rebound to loopback', { host: 'evil.example:3000' }],
    [
      'a rebound name whose page is its own origin',
      { host: 'evil.example', 'sec-fetch-site': 'same-origin' },
    ],
    ['a name that only starts like loopback', { host: '127.0.0.1.evil.example' }],
    ['a name that ends like localhost', { host: 'notlocalhost' }],
    ['a request without Host', {}],
    ['an invalid Host', { host: 'local host' }],
    ['another site behind a loopback Host', { host: 'localhost:3000', origin: 'https://evil.example' }],
    ['a sandboxed page', { host: 'localhost:3000', origin: 'null' }],
    [
      'an image of another site',
      { host: 'localhost', 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' },
    ],
    ['a host that only a header claims', { host: 'evil.example', 'x-forwarded-host': 'localhost' }],
  ])('refuses as a local call %s', (_, headers) => {
    expect(() => assertLocalCaller({ headers })).toThrow(refused);
  });
});

describe('assertOwnOrigin', () => {
  it.each<[string, IncomingHttpHeaders]>([
    ['a script of the page itself', { host: 'app.example', origin: 'https://app.example' }],
    ['a read of the page itself', { host: 'app.example', 'sec-fetch-site': 'same-origin' }],
    [
      'the page behind a proxy that renames the host',
      { host: 'upstream:3000', origin: 'https://app.example', 'sec-fetch-site': 'same-origin' },
    ],
    ['a typed address', { host: 'app.example', 'sec-fetch-site': 'none' }],
    ['a client other than a browser', { host: 'app.example' }],
    [
      'an allow-listed origin',
      { host: 'app.example', origin: 'https://ui.example', 'sec-fetch-site': 'cross-site' },
    ],
  ])('accepts a session cookie from %s', (_, headers) => {
    expect(() => assertOwnOrigin({ headers }, ['https://ui.example'])).not.toThrow();
  });

  it.each<[string, IncomingHttpHeaders]>([
    ['another site', { host: 'app.example', origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }],
    [
      'another site, in a browser without Sec-Fetch-Site',
      { host: 'app.example', origin: 'https://evil.example' },
    ],
    [
      'another host of the same site',
      { host: 'app.example', origin: 'https://blog.app.example', 'sec-fetch-site': 'same-site' },
    ],
    ['a read from another host of the same site', { host: 'app.example', 'sec-fetch-site': 'same-site' }],
    ['another port of the host', { host: 'app.example', origin: 'https://app.example:8443' }],
    ['a sandboxed page', { host: 'app.example', origin: 'null' }],
  ])('refuses a session cookie from %s', (_, headers) => {
    expect(() => assertOwnOrigin({ headers })).toThrow(refused);
  });
});
