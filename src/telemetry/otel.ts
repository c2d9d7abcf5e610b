import { createRequire } from 'node:module';
import type * as Otel from '@opentelemetry/api';
import { isInstalled } from '../optional-packages.js';

export type OtelApi = typeof Otel;

const API_PACKAGE = '@opentelemetry/api';

let loaded: OtelApi | 'missing' | undefined;

/** Returns OpenTelemetry's API; undefined where the package is not installed. All copies of it in a process share their SDK. */
export function loadOtel(): OtelApi | undefined {
  loaded ??= isInstalled(API_PACKAGE) ? (createRequire(import.meta.url)(API_PACKAGE) as OtelApi) : 'missing';
  return loaded === 'missing' ? undefined : loaded;
}
