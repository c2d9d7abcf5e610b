/**
 * Returns the texts at a path of a value, as LangGraph's stores read it: `$` is the whole, `a.b` a field, `a[0]`, `a[-1]` and `a[*]` elements, `*`
 * every field, `{a,b}` some of them. What is not text is given as JSON.
 */
export function textsAt(value: unknown, path: string): string[] {
  return path === '$' || path === '' ? [toText(value)] : walk(value, tokenize(path));
}

function tokenize(path: string): string[] {
  return path.match(/\[[^\]]*\]|\{[^}]*\}|[^.[{]+/g) ?? [];
}

function walk(value: unknown, [token, ...rest]: readonly string[]): string[] {
  if (value === undefined || value === null) return [];
  if (token === undefined) return [toText(value)];
  return childrenAt(value, token).flatMap((child) => walk(child, rest));
}

function childrenAt(value: unknown, token: string): unknown[] {
  if (token.startsWith('[')) {
    if (!Array.isArray(value)) return [];
    const place = token.slice(1, -1);
    return place === '*' ? (value as unknown[]) : [value.at(Number(place)) as unknown];
  }
  if (typeof value !== 'object' || value === null) return [];
  if (token === '*') return Object.values(value);
  if (!token.startsWith('{')) return [readField(value, token)];
  const paths = token.slice(1, -1).split(',');
  return paths.map((path) =>
    tokenize(path.trim()).reduce<unknown>(
      (at, name) => (typeof at === 'object' && at !== null ? readField(at, name) : undefined),
      value,
    ),
  );
}

function readField(value: object, name: string): unknown {
  return Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
}

function toText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value, null, 2);
}
