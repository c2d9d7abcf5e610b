/**
 * Loads in the background what would otherwise be loaded by the first question that needs it, which would wait half a second
 * for it: mathjs, of the calculator, is a thousand modules. Not part of the start, which would wait for it as well.
 */
export function warmUp(): void {
  // Who needs it after all loads it again, and hears then what is wrong.
  import('../tools/library/calculator/expression.js').catch(() => undefined);
}
