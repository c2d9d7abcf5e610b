/** Resolves once the condition holds, looked at again and again: for what happens without telling anybody. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what = String(condition),
): Promise<void> {
  // Below the limit of a test, so that the failure says what never came true; a busy machine needs some of it.
  const deadline = Date.now() + 100_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`It never came true: ${what}`);
    // Not in every turn: what is waited for may be another process's work, on the same core.
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
