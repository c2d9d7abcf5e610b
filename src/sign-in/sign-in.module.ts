import type { DynamicModule } from '@nestjs/common';
import { placeController, type Placement } from '../http/place-controller.js';
import { OidcController } from './oidc.controller.js';
import { SignInController } from './sign-in.controller.js';

/** The routes for signing in and out. */
export class SignInModule {
  /** Each call is an instance of its own. @param imports authentication, and the edge kit */
  static at(path: string, imports: readonly DynamicModule[], placement: Placement): DynamicModule {
    return {
      module: SignInModule,
      imports: [...imports],
      controllers: [SignInController, OidcController].map((each) => placeController(path, each, placement)),
    };
  }
}
