/** Who asks. Every run and thread belongs to the tenant and user that started it. */
export interface Principal {
  readonly userId: string;
  readonly tenant: string;
  /** What agents and tools may ask for; empty when the credentials name none, `*` stands for every role. */
  readonly roles: readonly string[];
}

/** What a thing belongs to; another owner's things do not exist for this one. */
export type Owner = Pick<Principal, 'userId' | 'tenant'>;

/** True when the principal has one of the wanted roles, or when none is wanted. */
export function mayUse(principal: Principal, wanted: readonly string[] | undefined): boolean {
  return (
    !wanted?.length || principal.roles.includes('*') || wanted.some((role) => principal.roles.includes(role))
  );
}
