import type { IncomingMessage, ServerResponse } from 'node:http';
import type { DiagLogger } from '@opentelemetry/api';
import { AppError } from '../errors.js';
import { isInstalled } from '../optional-packages.js';
import { SCOPE } from '../telemetry/names.js';
import { loadOtel } from '../telemetry/otel.js';
import { overrideEnvironment, type TelemetryConfig } from './config.js';
import type { Log } from './log.js';

const PACKAGES = ['@opentelemetry/api', '@opentelemetry/sdk-node'];
const INSTALL = `npm i ${PACKAGES.join(' ')}`;

/**
 * Starts OpenTelemetry's SDK by its standard variables, and the endpoint for Prometheus. Before the app is made: who asks for a meter
 * earlier gets one that measures nothing.
 *
 * @returns a function that sends what is left, and stops
 * @throws AppError CONFIG_INVALID if METRICS_PORT is set and a package is missing. Standard variables may come from the platform: for
 *   them it is a warning.
 */
export async function startTelemetry(config: TelemetryConfig, log: Log): Promise<() => Promise<void>> {
  const { isExporting, metricsPort } = config;
  if (!isExporting && metricsPort === undefined) return async () => undefined;
  const api = loadOtel();
  if (!api || !PACKAGES.every(isInstalled)) {
    if (metricsPort !== undefined)
      throw new AppError('CONFIG_INVALID', `METRICS_PORT needs packages that are not installed: ${INSTALL}`);
    log.warn(
      { context: 'Telemetry' },
      `Variables of OpenTelemetry are set, and nothing is sent: its packages are not installed. Install them: ${INSTALL}`,
    );
    return async () => undefined;
  }
  overrideEnvironment({ ...nameService(config), ...toVariables(config) });
  const { NodeSDK } = await import('@opentelemetry/sdk-node');
  const logger = toDiagLogger(log);
  const sayBy = { suppressOverrideMessage: true, logLevel: api.DiagLogLevel.WARN };
  api.diag.setLogger(logger, sayBy);
  // Our logs are lines on standard output. METRICS_PORT alone asks for no traces.
  const sdk = new NodeSDK({ logRecordProcessors: [], ...(!isExporting && { spanProcessors: [] }) });
  // OTEL_LOG_LEVEL makes it write to the console, in the middle of our lines.
  api.diag.setLogger(logger, sayBy);
  sdk.start();
  return () => sdk.shutdown();
}

function nameService({ serviceName }: TelemetryConfig): Record<string, string> {
  return serviceName === undefined ? { OTEL_SERVICE_NAME: SCOPE } : {};
}

/** Writes our settings as the SDK reads them. Both ways to take metrics out may be on. */
function toVariables({
  isExporting,
  metricsHost,
  metricsPort,
  metricsExporters,
}: TelemetryConfig): Record<string, string> {
  if (metricsPort === undefined) return {};
  const others = isExporting ? metricsExporters.filter((name) => name !== 'none') : [];
  return {
    OTEL_METRICS_EXPORTER: [...new Set([...others, 'prometheus'])].join(','),
    OTEL_EXPORTER_PROMETHEUS_HOST: metricsHost,
    OTEL_EXPORTER_PROMETHEUS_PORT: String(metricsPort),
  };
}

/** Passes the trace of a request on to what it asks for. Where HTTP itself is traced, that has been done. */
export function traceRequests(): (
  request: IncomingMessage,
  response: ServerResponse,
  next: () => void,
) => void {
  const api = loadOtel();
  return (request, _response, next) => {
    if (!api || request.headers.traceparent === undefined || api.trace.getActiveSpan()) return next();
    api.context.with(api.propagation.extract(api.ROOT_CONTEXT, request.headers), next);
  };
}

function toDiagLogger(log: Log): DiagLogger {
  const context = 'Telemetry';
  return {
    error: (message, ...details) => log.error({ context, details: details.map(String) }, message),
    warn: (message, ...details) => log.warn({ context, details: details.map(String) }, message),
    info: (message) => log.info({ context }, message),
    debug: (message) => log.debug({ context }, message),
    verbose: (message) => log.trace({ context }, message),
  };
}
