import { describe, expect, it } from '@jest/globals';
import { CredentialBrake, DEFAULT_BRAKE } from './credential-brake.js';

/** A brake whose waits end when the test says so, or at once. */
function brakeWith(overrides: Partial<typeof DEFAULT_BRAKE> = {}) {
  const clock = { now: 0 };
  const waits: number[] = [];
  const brake = new CredentialBrake({
    ...DEFAULT_BRAKE,
    now: () => clock.now,
    wait: async (ms) => {
      waits.push(ms);
      clock.now += ms;
    },
    ...overrides,
  });
  /** One wrong credential, looked at after its wait. */
  const guess = async (address: string, credential: string, guessed = true) => {
    const attempt = brake.attempt(address, [credential]);
    await brake.hold(attempt);
    brake.failed(attempt, credential, guessed);
  };
  return { brake, clock, waits, guess };
}

describe('CredentialBrake', () => {
  it('lets some wrong credentials pass, then makes each wait longer, up to a limit', async () => {
    const { guess, waits } = brakeWith();
    for (let index = 0; index < 12; index += 1) await guess('10.0.0.1', `guess ${index}`);
    expect(waits).toEqual([250, 500, 1000, 2000, 4000, 4000, 4000]);
  });

  it('slows down the same wrong credential from different addresses', async () => {
    const { guess, waits } = brakeWith();
    for (let index = 0; index < 7; index += 1) await guess(`10.0.0.${index}`, 'the same');
    expect(waits).toEqual([250, 500]);
  });

  it('counts an IPv6 network as one address and leaves other addresses alone', async () => {
    const { guess, waits } = brakeWith();
    for (let index = 0; index < 6; index += 1) await guess(`2001:db8:1:2::${index}`, `guess ${index}`);
    expect(waits).toEqual([250]);
    await guess('2001:db8:1:3::1', 'guess elsewhere');
    await guess('10.0.0.1', 'guess over IPv4');
    expect(waits).toEqual([250]);
  });

  it('does not delay a credential that was good before, until it fails', async () => {
    const { brake, guess, waits } = brakeWith();
    const colleague = brake.attempt('10.0.0.1', ['good']);
    brake.succeeded(colleague, 'good');
    for (let index = 0; index < 20; index += 1) await guess('10.0.0.1', `guess ${index}`);
    waits.length = 0;
    expect(await brake.hold(colleague)).toBe(0);
    brake.failed(colleague, 'good', false);
    expect(await brake.hold(colleague)).toBe(4000);
  });

  it('delays a wrong key that is sent beside a good cookie', async () => {
    const { brake, guess, waits } = brakeWith();
    brake.succeeded(brake.attempt('10.0.0.1', ['cookie']), 'cookie');
    for (let index = 0; index < 5; index += 1) await guess('10.0.0.1', `guess ${index}`);
    expect(await brake.hold(brake.attempt('10.0.0.1', ['cookie', 'guess 5']))).toBe(250);
    expect(waits).toEqual([250]);
  });

  it('counts neither a repeated wrong credential nor an expired one against the address', async () => {
    const { brake, guess } = brakeWith();
    for (let index = 0; index < 20; index += 1) await guess('10.0.0.1', 'a client with an old key');
    for (let index = 0; index < 20; index += 1) await guess('10.0.0.1', `expired ${index}`, false);
    expect(await brake.hold(brake.attempt('10.0.0.1', ['a new colleague']))).toBe(0);
  });

  it('refuses credentials at once while too many attempts wait, and accepts them afterwards', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { brake, guess } = brakeWith({ free: 0, waiting: 3, waitingPerAddress: 2, wait: () => promise });
    const hold = (address: string, credential: string) => brake.hold(brake.attempt(address, [credential]));
    const waiting = [hold('10.0.0.1', 'a'), hold('10.0.0.1', 'b')];
    const refused = { code: 'RATE_LIMITED', options: { details: { retryAfterSeconds: 1 } } };
    await expect(hold('10.0.0.1', 'c')).rejects.toMatchObject(refused);
    waiting.push(hold('10.0.0.2', 'd'));
    await expect(hold('10.0.0.3', 'e')).rejects.toMatchObject(refused);
    resolve();
    await Promise.all(waiting);
    await guess('10.0.0.1', 'f');
  });

  it('forgets wrong credentials after a while and remembers a bounded number of them', async () => {
    const { brake, guess, clock, waits } = brakeWith({ remembered: 10 });
    for (let index = 0; index < 6; index += 1) await guess('10.0.0.1', `guess ${index}`);
    expect(waits).toEqual([250]);
    clock.now += DEFAULT_BRAKE.forgetAfterMs;
    expect(await brake.hold(brake.attempt('10.0.0.1', ['another']))).toBe(0);
    for (let index = 0; index < 6; index += 1) await guess('10.0.0.2', `guess ${index}`);
    for (let index = 0; index < 10; index += 1) await guess(`10.0.1.${index}`, `elsewhere ${index}`);
    expect(await brake.hold(brake.attempt('10.0.0.2', ['another']))).toBe(0);
  });
});
