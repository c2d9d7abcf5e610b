import { DEFAULT_DRAIN_MS } from '../../chat/chat.options.js';
import { DEFAULT_SSE_OPTIONS } from '../../http/sse-streams.js';
import { boolean, parseChoice, path, seconds } from './formats.js';
import { part, setting } from './setting.js';

export const STREAMING = {
  title: 'Streams',
  settings: {
    HEARTBEAT_SECONDS: setting('chat.heartbeatMs', {
      format: seconds(1, 60),
      default: DEFAULT_SSE_OPTIONS.heartbeatMs,
      example: '5',
      effect:
        'Sends a comment on a stream that has been silent this long. Use at most half of the shortest idle timeout between server and clients.',
      details: 'A lost wakeup delays a stream by at most this time.',
      isAboutSecurity: false,
    }),
    DRAIN_SECONDS: setting('chat.drainMs', {
      format: seconds(0, 600),
      default: DEFAULT_DRAIN_MS,
      example: '5',
      effect:
        'Spreads the end of streams over this time at shutdown. Use less than the grace period of the orchestrator.',
      details: 'So clients do not all reconnect in the same second.',
      isAboutSecurity: false,
    }),
  },
} as const;

export const LOGGING = {
  title: 'Logging',
  settings: {
    LOG_LEVEL: setting('logging.level', {
      format: parseChoice('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'),
      default: 'info',
      example: 'debug',
      effect:
        'Writes log lines of this level and above: `fatal`, `error`, `warn`, `info`, `debug`, `trace` or `silent`.',
      details:
        'One JSON object per line on standard output. Each request has a line with its caller and address, and each stream has one when it ends: at `info` below `/api`, `/protocols` and `/.well-known`, at `debug` for health checks and files of the page. [Security events](../production/security-events.md) are at `info`.',
      isAboutSecurity: false,
    }),
    LOG_PROMPTS: setting('logging.prompts', {
      format: boolean(),
      default: false,
      example: 'true',
      effect: 'Logs the message of each start, as `prompt`.',
      details: 'Headers, cookies, query strings and secrets are never logged.',
    }),
  },
} as const;

export const COSTS = {
  title: 'Costs',
  settings: {
    PRICES_FILE: part('chat.prices', {
      format: path(),
      example: 'deploy/prices.json',
      effect: 'Puts a cost on each model call, by the prices in this JSON file.',
      details:
        'See [costs](../production/costs.md). Without it, and for models that it does not have, only tokens are counted.',
      isAboutSecurity: false,
    }),
  },
} as const;
