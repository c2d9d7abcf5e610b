import { boolean, hostPatterns, integer, text } from './formats.js';
import { setting } from './setting.js';

/** Like HOST: only this machine by default. */
const DEFAULT_METRICS_HOST = '127.0.0.1';

export const OBSERVING = {
  title: 'Traces and metrics',
  intro:
    'Traces and metrics go out by [OpenTelemetry](../production/observability.md), with the standard variables: `OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_TRACES_EXPORTER`, `OTEL_METRICS_EXPORTER` and the others of its specification. They need `npm i @opentelemetry/api @opentelemetry/sdk-node`.',
  settings: {
    METRICS_PORT: setting('telemetry.metricsPort', {
      format: integer(1, 65_535),
      unset: 'no such port',
      example: '9464',
      effect: 'Answers Prometheus at `/metrics` on this port, apart from everything else.',
      details:
        'Everyone who can reach the port can read the metrics. They name agents, tools and models, but no people and no conversations.',
      isAboutSecurity: false,
    }),
    METRICS_HOST: setting('telemetry.metricsHost', {
      format: text(),
      default: DEFAULT_METRICS_HOST,
      example: '0.0.0.0',
      effect: 'Address on which METRICS_PORT listens.',
      needs: { METRICS_PORT: '9464' },
      isAboutSecurity: false,
    }),
    TELEMETRY_CONTENT: setting('chat.telemetry.content', {
      format: boolean(),
      default: false,
      example: 'true',
      effect: 'Puts what was said onto spans: messages, and arguments and results of tools.',
      details: 'Everyone who can read the traces can then read conversations.',
    }),
    TELEMETRY_LEGACY_METRICS: setting('chat.telemetry.legacyMetrics', {
      format: boolean(),
      default: false,
      example: 'true',
      effect:
        'Records model calls under the older names as well: `gen_ai.client.operation.duration` and `gen_ai.client.token.usage`.',
      details: 'For dashboards that were made before v0.1.0 of the conventions for generative AI.',
      isAboutSecurity: false,
    }),
    TRACE_CONTEXT_HOSTS: setting('chat.telemetry.propagateTo', {
      format: hostPatterns(),
      example: 'tools.example.com,*.internal.example.com',
      effect: 'Hosts of MCP servers and pages that are sent the trace they are called in, as `traceparent`.',
      details:
        'The provider of the model always is. With `*.` before it, a name stands for all hosts below it.',
    }),
  },
} as const;
