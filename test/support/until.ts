/** Resolves once the condition holds, looked at in every turn of the event loop: for what happens without telling anybody. */
export async function until(condition: () => boolean, what = String(condition)): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`It never came true: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
