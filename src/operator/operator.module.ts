import type { DynamicModule, FactoryProvider } from '@nestjs/common';
import { placeController, type Placement } from '../http/place-controller.js';
import { OperatorController } from './operator.controller.js';
import { OPERATOR_ROLES } from './operator.guard.js';

/** Provides the roles of operators. If it provides none, every caller is refused. */
export type OperatorRoles = Pick<FactoryProvider<readonly string[]>, 'inject' | 'useFactory'>;

/** The routes of those who run the service. */
export class OperatorModule {
  /** Each call is an instance of its own. @param imports switches, tools, agents, authentication, and the edge kit */
  static at(
    path: string,
    imports: readonly DynamicModule[],
    { roles, placement }: { readonly roles: OperatorRoles; readonly placement: Placement },
  ): DynamicModule {
    return {
      module: OperatorModule,
      imports: [...imports],
      controllers: [placeController(path, OperatorController, placement)],
      providers: [{ provide: OPERATOR_ROLES, ...roles }],
    };
  }
}
