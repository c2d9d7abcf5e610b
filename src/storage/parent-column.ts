// The run before a run in its branch, as a column: null if the run does not name it, empty if there is none.

interface Place {
  readonly parentId?: string | null;
}

export function toParentColumn({
  parentId,
}: {
  readonly parentId?: string | null | undefined;
}): string | null {
  return parentId === undefined ? null : (parentId ?? '');
}

export function readParentColumn({ parent_id: column }: { readonly parent_id: string | null }): Place {
  return column === null ? {} : { parentId: column || null };
}
