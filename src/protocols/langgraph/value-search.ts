import { AppError } from '../../errors.js';

/** Values that a search may name, with all that is in them. */
export const MOST_VALUES = 100;

/** Comparisons that a search may make, over all states together: some tens of milliseconds in which the process does nothing else. */
const MOST_COMPARISONS = 1_000_000;

/** A search for states that have certain values. */
export class ValueSearch {
  private comparisons = 0;

  constructor(private readonly wanted: unknown) {}

  /** True if the state has the values. @throws AppError REQUEST_INVALID if the search compares too much */
  fits(state: unknown): boolean {
    return this.isContained(this.wanted, state);
  }

  /** True if the wanted JSON value is in another, as PostgreSQL's `@>` says it: objects have more keys, and lists more elements in any order. */
  private isContained(wanted: unknown, value: unknown): boolean {
    this.comparisons += 1;
    if (this.comparisons > MOST_COMPARISONS)
      throw new AppError(
        'REQUEST_INVALID',
        'The states of these threads are too large for a search by these `values`. Name fewer values, or the threads by their `ids`.',
      );
    if (Array.isArray(wanted))
      return (
        Array.isArray(value) && wanted.every((one) => value.some((other) => this.isContained(one, other)))
      );
    if (typeof wanted !== 'object' || wanted === null) return wanted === value;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
    return Object.entries(wanted).every(
      ([name, one]) =>
        Object.hasOwn(value, name) && this.isContained(one, (value as Record<string, unknown>)[name]),
    );
  }
}

/** True if a JSON value consists of at most {@link MOST_VALUES} values. The names in objects do not count. */
export function isSearchable(values: unknown): boolean {
  const left: unknown[] = [values];
  for (let count = 0; left.length > 0; count += 1) {
    if (count > MOST_VALUES) return false;
    const value = left.pop();
    if (typeof value !== 'object' || value === null) continue;
    const inner = Object.values(value);
    if (inner.length > MOST_VALUES) return false;
    left.push(...inner);
  }
  return true;
}
