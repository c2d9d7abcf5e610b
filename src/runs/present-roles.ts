import { Injectable, Logger } from '@nestjs/common';
import { sharedRoles, type Owner, type Principal } from '../principal.js';

type Found = readonly string[] | undefined;

/** Returns the roles that a principal has at this moment; undefined when it does not know them. */
export type FindRoles = (principal: Owner) => Found | Promise<Found>;

/**
 * Finds the present roles of a principal, for runs that go on some time after their start: such a run has the roles that its
 * principal had then and still has.
 */
@Injectable()
export class PresentRoles {
  private readonly logger = new Logger(PresentRoles.name);

  /** @param sources the first that knows the principal decides */
  constructor(private readonly sources: readonly FindRoles[] = []) {}

  /**
   * Returns the principal with those of its roles that it still has.
   *
   * @param whenUnknown what it keeps when no source knows it
   */
  async narrow(principal: Principal, whenUnknown: 'all' | 'none'): Promise<Principal> {
    const roles = await this.find(principal);
    if (roles === undefined && whenUnknown === 'all') return principal;
    return { ...principal, roles: sharedRoles(principal.roles, roles ?? []) };
  }

  private async find({ userId, tenant }: Owner): Promise<Found> {
    for (const source of this.sources) {
      try {
        const roles = await source({ userId, tenant });
        if (roles !== undefined) return roles;
      } catch (error) {
        this.logger.error(
          { err: error, userId, tenant },
          'The roles of a principal could not be read. It counts as having none.',
        );
        return [];
      }
    }
    return undefined;
  }
}
