/** Resolves once the condition holds, looked at in every turn of the event loop: for what happens without telling anybody. */
export async function until(condition: () => boolean, what = String(condition)): Promise<void> {
  // Below the limit of a test, so that the failure says what never came true; a busy machine needs some of it.
  const deadline = Date.now() + 25_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`It never came true: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
