import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { getAuthentication } from '../auth/authentication.js';
import { AppError } from '../errors.js';
import { nameOption } from '../option-names.js';
import { mayUse, type Principal } from '../principal.js';
import type { Oversight } from '../runs/run-oversight.service.js';
import { SecurityLog } from '../security/security-log.service.js';
import { OPERATOR_ROLES } from './operator.guard.js';

/** Injection token of the roles that a tenant's own operators have. */
export const TENANT_OPERATOR_ROLES = Symbol('TENANT_OPERATOR_ROLES');

/** Decides whose runs a caller oversees: an operator those of all tenants, a tenant's operator those of the tenant. */
@Injectable()
export class OversightRoles {
  constructor(
    @Inject(OPERATOR_ROLES) private readonly operators: readonly string[],
    @Inject(TENANT_OPERATOR_ROLES) private readonly tenantOperators: readonly string[],
  ) {}

  /** Undefined for a caller who oversees none. */
  find(principal: Principal): Oversight | undefined {
    if (has(principal, this.operators)) return { by: principal };
    return has(principal, this.tenantOperators) ? { by: principal, tenant: principal.tenant } : undefined;
  }

  /** For handlers behind {@link OversightGuard}. */
  get(principal: Principal): Oversight {
    const oversight = this.find(principal);
    if (!oversight) throw new AppError('FORBIDDEN', 'This caller oversees no runs.');
    return oversight;
  }
}

/** For operators, and for operators of a tenant. `FORBIDDEN` for everybody else. */
@Injectable()
export class OversightGuard implements CanActivate {
  constructor(
    private readonly roles: OversightRoles,
    private readonly security: SecurityLog,
  ) {}

  canActivate(context: ExecutionContext): boolean {
    const { principal } = getAuthentication(context.switchToHttp().getRequest<object>());
    if (this.roles.find(principal)) return true;
    this.security.record({ type: 'access-refused', principal, reason: 'FORBIDDEN', subject: 'operator' });
    const options = [nameOption('operatorRoles'), nameOption('tenantOperatorRoles')].join(' or ');
    throw new AppError('FORBIDDEN', `Only callers with a role of ${options} may do this.`);
  }
}

function has(principal: Principal, roles: readonly string[]): boolean {
  return roles.length > 0 && mayUse(principal, roles);
}
