import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { decodeJwt } from 'jose';
import type { Authentication } from './authentication.js';
import { SessionService } from './session.service.js';
import { StreamTicketService } from './stream-ticket.service.js';

const secret = Buffer.alloc(32, 'secret');
const start = Date.UTC(2030, 0, 1);
const ada = { userId: 'ada', tenant: 'acme', roles: ['analyst'] };

describe('a stream ticket', () => {
  const tickets = new StreamTicketService(secret, 60_000);

  beforeEach(() => {
    jest.useFakeTimers({
      now: start,
      doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'setTimeout'],
    });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('stands for the principal it was issued to, each time until it is too old', async () => {
    const { ticket, expiresAt } = await tickets.issue({ principal: ada }, 'r1');
    expect(expiresAt).toBe(start + 60_000);
    const expected: Authentication = { principal: ada, via: 'ticket' };
    expect(await tickets.verify(ticket, 'r1')).toEqual(expected);
    jest.setSystemTime(start + 59_000);
    expect(await tickets.verify(ticket, 'r1')).toEqual(expected);
    jest.setSystemTime(start + 60_000);
    expect(await tickets.verify(ticket, 'r1')).toBeUndefined();
  });

  it('is known to another instance with the same secret, and to none with another', async () => {
    const { ticket } = await tickets.issue({ principal: ada }, 'r1');
    expect(await new StreamTicketService(secret, 1).verify(ticket, 'r1')).toBeDefined();
    expect(await new StreamTicketService(Buffer.alloc(32, 'other'), 1).verify(ticket, 'r1')).toBeUndefined();
  });

  it('opens no other run', async () => {
    const { ticket } = await tickets.issue({ principal: ada }, 'r1');
    expect(await tickets.verify(ticket, 'r2')).toBeUndefined();
    expect(await tickets.verify(ticket, 'r')).toBeUndefined();
  });

  it('ends with the credentials when they end first, and says when that is', async () => {
    const { ticket, expiresAt } = await tickets.issue({ principal: ada, expiresAt: start + 5_000 }, 'r1');
    expect(expiresAt).toBe(start + 5_000);
    expect(await tickets.verify(ticket, 'r1')).toMatchObject({ expiresAt: start + 5_000 });
  });

  it('bounds when the stream may be opened; the stream itself ends with the credentials', async () => {
    const { ticket } = await tickets.issue({ principal: ada, expiresAt: start + 3_600_000 }, 'r1');
    expect(await tickets.verify(ticket, 'r1')).toMatchObject({ expiresAt: start + 3_600_000 });
  });

  it('is no session, and a session is no ticket, although one secret signs both', async () => {
    const sessions = new SessionService(secret, 60_000);
    const { ticket } = await tickets.issue({ principal: ada }, 'r1');
    const { token } = await sessions.issue({ principal: ada });
    expect(await sessions.verify(token)).toEqual({
      principal: ada,
      via: 'session',
      expiresAt: start + 60_000,
    });
    expect(await sessions.verify(ticket)).toBeUndefined();
    expect(await tickets.verify(token, 'r1')).toBeUndefined();
  });

  it('is refused when somebody has changed it', async () => {
    const { ticket } = await tickets.issue({ principal: ada }, 'r1');
    const [header, , signature] = ticket.split('.');
    const forged = Buffer.from(JSON.stringify({ ...decodeJwt(ticket), sub: 'eve' })).toString('base64url');
    expect(await tickets.verify(`${header}.${forged}.${signature}`, 'r1')).toBeUndefined();
    expect(await tickets.verify('', 'r1')).toBeUndefined();
  });
});
