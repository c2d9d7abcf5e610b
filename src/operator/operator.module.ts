import type { DynamicModule, FactoryProvider } from '@nestjs/common';
import { placeController, type Placement } from '../http/place-controller.js';
import { OperatorController } from './operator.controller.js';
import { OperatorFeedbackController } from './operator-feedback.controller.js';
import { OperatorRunsController } from './operator-runs.controller.js';
import { OPERATOR_ROLES } from './operator.guard.js';
import { OversightRoles, TENANT_OPERATOR_ROLES } from './oversight.guard.js';

/** Provides the roles of operators. If it provides none, every caller is refused. */
export type OperatorRoles = Pick<FactoryProvider<readonly string[]>, 'inject' | 'useFactory'>;

/** The roles of operators, and of operators of a tenant. */
export interface AllOperatorRoles {
  readonly operators: OperatorRoles;
  readonly tenantOperators: OperatorRoles;
}

/** The routes of those who run the service. */
export class OperatorModule {
  /** Each call is an instance of its own. @param imports switches, tools, agents, runs, authentication, the edge kit, and the instance */
  static at(
    path: string,
    imports: readonly DynamicModule[],
    { roles, placement }: { readonly roles: AllOperatorRoles; readonly placement: Placement },
  ): DynamicModule {
    return {
      module: OperatorModule,
      imports: [...imports],
      controllers: [OperatorController, OperatorRunsController, OperatorFeedbackController].map((each) =>
        placeController(path, each, placement),
      ),
      providers: [
        { provide: OPERATOR_ROLES, ...roles.operators },
        { provide: TENANT_OPERATOR_ROLES, ...roles.tenantOperators },
        OversightRoles,
      ],
    };
  }
}
