/** The caller. Every run and thread belongs to the tenant and user that started it. */
export interface Principal {
  readonly userId: string;
  readonly tenant: string;
  /** Roles that agents and tools may require; empty if the credentials name none. `*` stands for every role. */
  readonly roles: readonly string[];
}

/** The owner of a thing. Things of other owners do not exist for it. */
export type Owner = Pick<Principal, 'userId' | 'tenant'>;

/** True when the principal has one of the wanted roles, or when none is wanted. */
export function mayUse(principal: Principal, requiredRoles: readonly string[] | undefined): boolean {
  return (
    !requiredRoles?.length ||
    principal.roles.includes('*') ||
    requiredRoles.some((role) => principal.roles.includes(role))
  );
}

/** Returns the roles that both have; `*` stands for every role. */
export function sharedRoles(one: readonly string[], other: readonly string[]): readonly string[] {
  if (one.includes('*')) return other;
  return other.includes('*') ? one : one.filter((role) => other.includes(role));
}
