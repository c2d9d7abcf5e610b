import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { decodeJwt } from 'jose';
import { MemorySharedState } from '../storage/memory/memory-shared-state.js';
import { tokenServices } from './auth.testing.js';

const start = Date.UTC(2030, 0, 1);
const ada = { userId: 'ada', tenant: 'acme', roles: ['analyst'] };
const RUN = { kind: 'run-events', id: 'r1' } as const;
const caller = { principal: ada, source: 'host', via: 'host' } as const;

describe('TicketService', () => {
  const state = new MemorySharedState();
  const { tickets, sessions } = tokenServices({ state });

  beforeEach(() => {
    jest.useFakeTimers({
      now: start,
      doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'setTimeout'],
    });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('verifies a stream ticket as its principal until the ticket expires', async () => {
    const { ticket, expiresAt } = await tickets.issue(caller, RUN);
    expect(expiresAt).toBe(start + 60_000);
    const expected = { principal: ada, via: 'ticket', source: 'host', session: { marks: [] } };
    expect(await tickets.verify(ticket, RUN)).toMatchObject(expected);
    jest.setSystemTime(start + 59_000);
    expect(await tickets.verify(ticket, RUN)).toMatchObject(expected);
    jest.setSystemTime(start + 60_000);
    expect(await tickets.verify(ticket, RUN)).toBeUndefined();
  });

  it('verifies a stream ticket on another instance with the same storage only', async () => {
    const { ticket } = await tickets.issue(caller, RUN);
    expect(await tokenServices({ state }).tickets.verify(ticket, RUN)).toBeDefined();
    expect(await tokenServices().tickets.verify(ticket, RUN)).toBeUndefined();
  });

  it('refuses a stream ticket for another run', async () => {
    const { ticket } = await tickets.issue(caller, RUN);
    expect(await tickets.verify(ticket, { kind: 'run-events', id: 'r2' })).toBeUndefined();
    expect(await tickets.verify(ticket, { kind: 'run-events', id: 'r' })).toBeUndefined();
    expect(await tickets.verify(ticket, { kind: 'file', id: 'r1' })).toBeUndefined();
  });

  it('lets a stream ticket expire with the credentials when they expire first', async () => {
    const { ticket, expiresAt } = await tickets.issue({ ...caller, expiresAt: start + 5_000 }, RUN);
    expect(expiresAt).toBe(start + 5_000);
    expect(await tickets.verify(ticket, RUN)).toMatchObject({ expiresAt: start + 5_000 });
  });

  it('keeps the expiry of the credentials for the stream that a stream ticket opens', async () => {
    const { ticket } = await tickets.issue({ ...caller, expiresAt: start + 3_600_000 }, RUN);
    expect(await tickets.verify(ticket, RUN)).toMatchObject({ expiresAt: start + 3_600_000 });
  });

  it('refuses a stream ticket as a session and a session as a ticket, although one key signs both', async () => {
    const { ticket } = await tickets.issue(caller, RUN);
    const { token } = (await sessions.issue(caller))!;
    const session = { principal: ada, via: 'session', expiresAt: start + 60_000 };
    expect(await sessions.verify(token)).toMatchObject(session);
    expect(await sessions.verify(ticket)).toBeUndefined();
    expect(await tickets.verify(token, RUN)).toBeUndefined();
  });

  it('refuses a stream ticket whose content was changed', async () => {
    const { ticket } = await tickets.issue(caller, RUN);
    const [header, , signature] = ticket.split('.');
    const forged = Buffer.from(JSON.stringify({ ...decodeJwt(ticket), sub: 'eve' })).toString('base64url');
    expect(await tickets.verify(`${header}.${forged}.${signature}`, RUN)).toBeUndefined();
    expect(await tickets.verify('', RUN)).toBeUndefined();
  });
});
