import type { Run } from './run.js';

/** The place of a run in the tree of its thread. */
export type BranchNode = Pick<Run, 'id' | 'parentId' | 'copyOf'>;

/**
 * Follows one branch of a thread through its runs, the newest first: a run, the run before it, and so on to the first.
 */
export class BranchWalk {
  /** Id of the next run of the branch. Undefined: the next run that is offered. Null: the branch is over. */
  private next: string | null | undefined;
  private isPassing = false;
  /** True if runs of other branches were offered between the last two runs taken. */
  hasPassedOthers = false;

  /** @param leafId the newest run of the branch. Default: the newest of the thread */
  constructor(leafId?: string) {
    this.next = leafId;
  }

  /** True if the branch has this run. Call it with every run of the thread, or with all from the leaf on, the newest first. */
  takes({ id, parentId }: BranchNode): boolean {
    if (this.isOver) return false;
    if (this.next !== undefined && this.next !== id) {
      this.isPassing = true;
      return false;
    }
    this.hasPassedOthers = this.isPassing;
    this.isPassing = false;
    this.next = parentId;
    return true;
  }

  /** True after the first run of the branch. */
  get isOver(): boolean {
    return this.next === null;
  }
}

/**
 * Returns the runs of one branch.
 *
 * @param runs all runs of a thread, the oldest first
 * @param leafId as of {@link BranchWalk}
 */
export function selectBranch<Node extends BranchNode>(runs: readonly Node[], leafId?: string): Node[] {
  const walk = new BranchWalk(leafId);
  return runs
    .toReversed()
    .filter((run) => walk.takes(run))
    .toReversed();
}

/**
 * Maps each run to the run before it in its branch. Runs that start the thread have none.
 *
 * @param runs as of {@link selectBranch}
 */
export function mapParents<Node extends BranchNode>(runs: readonly Node[]): ReadonlyMap<string, Node> {
  const byId = new Map(runs.map((run) => [run.id, run]));
  return new Map(
    runs.flatMap((run, index) => {
      const parentId = getParentId(run, runs[index - 1]);
      const parent = parentId === null ? undefined : byId.get(parentId);
      return parent ? [[run.id, parent]] : [];
    }),
  );
}

/**
 * Returns the newest run whose branch contains this one. Undefined if the thread has no such run.
 *
 * @param runs as of {@link selectBranch}
 */
export function findLeaf<Node extends BranchNode>(runs: readonly Node[], runId: string): Node | undefined {
  const below = new Set<string>();
  let leaf: Node | undefined;
  for (const [index, run] of runs.entries()) {
    const parentId = getParentId(run, runs[index - 1]);
    if (run.id !== runId && !(typeof parentId === 'string' && below.has(parentId))) continue;
    below.add(run.id);
    leaf = run;
  }
  return leaf;
}

/**
 * Groups the runs that follow the same run, and the runs that start the thread: the versions of one turn.
 *
 * @param runs as of {@link selectBranch}
 * @returns by run id, all versions of its turn, itself included, the oldest first; runs without other versions are left out
 */
export function groupVersions(runs: readonly BranchNode[]): ReadonlyMap<string, readonly string[]> {
  const byParent = new Map<string | null, string[]>();
  for (const [index, run] of runs.entries()) {
    const parentId = getParentId(run, runs[index - 1]);
    byParent.set(parentId, [...(byParent.get(parentId) ?? []), run.id]);
  }
  const groups = [...byParent.values()].filter((versions) => versions.length > 1);
  return new Map(groups.flatMap((versions) => versions.map((id) => [id, versions] as const)));
}

function getParentId({ parentId }: BranchNode, before: BranchNode | undefined): string | null {
  return parentId === undefined ? (before?.id ?? null) : parentId;
}
