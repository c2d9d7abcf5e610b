import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { getAuthentication } from '../auth/authentication.js';
import { AppError } from '../errors.js';
import { nameOption } from '../option-names.js';
import { mayUse } from '../principal.js';
import { SecurityLog } from '../security/security-log.service.js';

/** Injection token of the roles that operators have. */
export const OPERATOR_ROLES = Symbol('OPERATOR_ROLES');

/** For those who run the service. `FORBIDDEN` for everybody else, and for everybody where no role is named for it. */
@Injectable()
export class OperatorGuard implements CanActivate {
  constructor(
    @Inject(OPERATOR_ROLES) private readonly roles: readonly string[],
    private readonly security: SecurityLog,
  ) {}

  canActivate(context: ExecutionContext): boolean {
    const { principal } = getAuthentication(context.switchToHttp().getRequest<object>());
    if (this.roles.length > 0 && mayUse(principal, this.roles)) return true;
    this.security.record({ type: 'access-refused', principal, reason: 'FORBIDDEN', subject: 'operator' });
    throw new AppError(
      'FORBIDDEN',
      `Only callers with a role of ${nameOption('operatorRoles')} may do this.`,
    );
  }
}
