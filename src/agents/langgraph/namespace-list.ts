import type { ListNamespacesOperation, MatchCondition } from '@langchain/langgraph-checkpoint';

/** Returns the namespaces that an operation asks for, of all that there are. */
export function selectNamespaces(
  all: readonly (readonly string[])[],
  { matchConditions = [], maxDepth, limit = Infinity, offset = 0 }: Partial<ListNamespacesOperation>,
): string[][] {
  const matching = all.filter((namespace) =>
    matchConditions.every((condition) => matches(namespace, condition)),
  );
  const cut = new Map<string, string[]>();
  for (const namespace of matching) {
    const labels = namespace.slice(0, maxDepth);
    cut.set(labels.join('.'), labels);
  }
  return [...cut.values()].slice(offset, offset + limit);
}

function matches(namespace: readonly string[], { matchType, path }: MatchCondition): boolean {
  if (path.length > namespace.length) return false;
  const start = matchType === 'suffix' ? namespace.length - path.length : 0;
  return path.every((label, index) => label === '*' || label === namespace[start + index]);
}
