import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { IncomingRequest, Principal } from 'nestjs-agent-stream';

/** Who is signed in, as everything in this application knows it. */
export interface User {
  readonly id: string;
  readonly company: string;
  readonly groups: readonly string[];
}

/** A request after the guard. */
export interface SignedInRequest extends IncomingRequest {
  user?: User;
}

export const CurrentUser = createParamDecorator(
  (_: unknown, context: ExecutionContext) => context.switchToHttp().getRequest<SignedInRequest>().user,
);

/** chat: the same person, as its agents know them. */
export function getPrincipal(request: SignedInRequest): Principal | undefined {
  const { user } = request;
  return user && { userId: user.id, tenant: user.company, roles: user.groups };
}
