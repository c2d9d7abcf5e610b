/**
 * Loads in the background what would otherwise be loaded by the first question that needs it, and would make that one wait. Not
 * part of the start, which would wait for it as well.
 */
export function warmUp(): void {
  // Who needs it after all loads it again, and hears then what is wrong.
  import('../tools/library/calculator/expression.js').catch(() => undefined);
}
