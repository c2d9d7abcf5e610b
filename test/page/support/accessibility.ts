import axe, { type RunOptions } from 'axe-core';
import type { Page } from 'playwright-core';

/** Opens a page that lets axe in: the content security policy of ours would not. */
export const LETS_AXE_IN = { bypassCSP: true } as const;

/** Returns what axe finds wrong with a page, or with a part of it, in lines for people. Includes what is in shadow roots. */
export async function findViolations(page: Page, within = 'html'): Promise<string[]> {
  // What fades in has less contrast on its way.
  await page.evaluate(() =>
    Promise.allSettled(
      document
        .getAnimations()
        .filter(({ effect }) => effect?.getComputedTiming().endTime !== Infinity)
        .map(({ finished }) => finished),
    ),
  );
  await page.evaluate(axe.source);
  const options: RunOptions = { resultTypes: ['violations'] };
  const { violations } = await page.evaluate(
    ([selector, given]) => (globalThis as unknown as { axe: typeof axe }).axe.run(selector, given),
    [within, options] as const,
  );
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id} at ${target.flat().join(' ')}: ${failureSummary}`),
  );
}

/** A table as Chromium tells it to screen readers: the names of its cells, row by row. */
export async function readTable(page: Page, name: string): Promise<string[][]> {
  const session = await page.context().newCDPSession(page);
  const { nodes } = await session.send('Accessibility.getFullAXTree');
  const byId = new Map(nodes.map((node) => [node.nodeId, node]));
  type Node = (typeof nodes)[number];
  const toName = (node: Node) => String(node.name?.value ?? '');
  /** The nodes of these roles below one. */
  const find = (node: Node, roles: readonly string[]): Node[] =>
    (node.childIds ?? []).flatMap((id) => {
      const child = byId.get(id);
      if (!child) return [];
      return !child.ignored && roles.includes(String(child.role?.value)) ? [child] : find(child, roles);
    });
  const table = nodes.find((node) => node.role?.value === 'table' && toName(node) === name);
  if (!table) throw new Error(`No table is called '${name}'.`);
  return find(table, ['row']).map((row) =>
    find(row, ['cell', 'columnheader', 'rowheader', 'gridcell']).map(toName),
  );
}
