import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { BrandOptions } from '../brand.js';
import type { SharedState } from '../shared-state.js';
import type { AuthOptions } from './auth.options.js';

/** Options of the module. */
export interface AuthModuleOptions {
  readonly auth: AuthOptions;
  /** The store for signing keys and ended sessions. Read when the first request needs it: it may be opened later. */
  readonly state: SharedState;
  /** Told to pages with the session. */
  readonly brand?: BrandOptions | undefined;
}

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN: AUTH_MODULE_OPTIONS } =
  new ConfigurableModuleBuilder<AuthModuleOptions>({ moduleName: 'Auth' })
    .setClassMethodName('forRoot')
    .build();

/** The settings of authentication, once they are known to be usable. */
export const AUTH_OPTIONS = Symbol('AUTH_OPTIONS');
