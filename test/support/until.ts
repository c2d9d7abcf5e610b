import { expect } from '@jest/globals';

// Below the limit of a test, so that the failure says what never came true; a busy machine needs some of it.
const PATIENCE_MS = 100_000;

/** Resolves once the condition holds, looked at again and again: for what happens without telling anybody. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what = String(condition),
): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`It never came true: ${what}`);
    // Not in every turn: what is waited for may be another process's work, on the same core.
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Resolves once what is read equals this, read again and again. Fails with the difference. */
export async function untilEqual(read: () => unknown, expected: unknown): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const value = await read();
    try {
      return expect(value).toEqual(expected);
    } catch (difference) {
      if (Date.now() > deadline) throw difference;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
