import { DEFAULT_RESULT_MAX_BYTES } from '../../agents/langgraph/arrivals.js';
import { MOST_DELAYED_RUNS } from '../../runs/run-delay.js';
import { DEFAULT_FILE_LIMITS, DEFAULT_UPLOAD_RULES } from '../../runs/run-files.js';
import { DEFAULT_LIMITS } from '../../runs/run-limits.js';
import { DEFAULT_START_RULES } from '../../runs/run.service.js';
import { DEFAULT_WORKER_OPTIONS } from '../../runs/run.worker.js';
import { DEFAULT_THROTTLING } from '../../throttling/throttling.options.js';
import { DEFAULT_TOOL_CONCURRENCY } from '../../tools/tool-call-slots.js';
import { boolean, bytes, integer, mediaRanges, minutes, seconds, webUrl } from './formats.js';
import { setting } from './setting.js';

export const LIMITS = {
  title: 'Limits',
  settings: {
    MAX_MESSAGE_BYTES: setting('chat.maxMessageBytes', {
      format: bytes(1024),
      default: DEFAULT_START_RULES.maxMessageBytes,
      example: '64KiB',
      effect: 'Maximum size of a message, in bytes of UTF-8. A larger one gets 413, in every protocol.',
      details: 'The whole request may be three times as large plus 64 KiB, for escapes and metadata.',
    }),
    MAX_HISTORY_BYTES: setting('http.maxHistoryBytes', {
      format: bytes(1024),
      default: 4 * 1024 ** 2,
      example: '1MiB',
      effect: 'Maximum size of a request below `/protocols`, in bytes of JSON. A larger one gets 413.',
      details:
        'Clients of the AI SDK, AG-UI and OpenAI send the whole conversation with every turn; `MAX_MESSAGE_BYTES` applies to its last message.',
    }),
    MAX_BODY_BYTES_IN_FLIGHT: setting('http.maxBodyBytesInFlight', {
      format: bytes(1024 ** 2),
      default: 64 * 1024 ** 2,
      example: '128MiB',
      effect:
        'Maximum size of all request bodies that this process holds or stores at a time, in bytes. Beyond it, requests get 503 and `Retry-After`.',
      details:
        'A body is held from its first byte until it is parsed, and an upload until it is stored. One address may hold half of this and one caller a quarter; beyond that, requests get 429. The body of an unknown caller is read only at sign-in: up to 24 KiB each, and an eighth of this setting for all together.',
    }),
    STARTS_PER_MINUTE: setting('chat.throttling.startsPerMinute', {
      format: integer(1, 100_000),
      default: DEFAULT_THROTTLING.startsPerMinute,
      example: '10',
      effect:
        'Maximum runs that one caller may start per minute, by any route. Further starts get 429 and `Retry-After`.',
      details:
        'Starts that are refused for another reason count too. Starts that return an earlier run, by its `Idempotency-Key` or last event id, do not.',
    }),
    MAX_OPEN_STREAMS: setting('chat.throttling.maxOpenStreams', {
      format: integer(1, 100_000),
      default: DEFAULT_THROTTLING.maxOpenStreams,
      example: '5',
      effect: 'Maximum open streams of one caller. Further streams get 429.',
    }),
    MAX_CONCURRENT_RUNS: setting('chat.maxConcurrentRuns', {
      format: integer(1, 100_000),
      default: DEFAULT_WORKER_OPTIONS.maxConcurrentRuns,
      example: '100',
      effect: 'Maximum runs that this process executes at a time. Further runs wait.',
      details:
        'The next slot goes to the tenant with the fewest active runs, in it to the user with the fewest active runs, and then to the oldest run.',
    }),
    MAX_RUNS_PER_USER: setting('chat.maxRunsPerPrincipal', {
      format: integer(1, 100_000),
      unset: 'half of `MAX_CONCURRENT_RUNS`',
      example: '10',
      effect: 'Maximum active runs of one caller, in all processes together. Further runs wait.',
      details:
        'Without authentication, all requests come from one caller, and there is no such limit by default.',
    }),
    MAX_DELAYED_RUNS_PER_USER: setting('chat.maxDelayedRunsPerPrincipal', {
      format: integer(0, 100_000),
      default: MOST_DELAYED_RUNS,
      example: '10',
      effect:
        'Maximum runs of one caller that begin later, at a time, in all processes together. Further ones get 429.',
      details:
        'They are those with `delayMs` or `after_seconds` whose time has not come. 0: no run can begin later.',
    }),
    RUN_PARALLEL_TOOL_CALLS: setting('chat.parallelToolCalls.perRun', {
      format: integer(1, 1_000),
      default: DEFAULT_TOOL_CONCURRENCY.perRun,
      example: '4',
      effect: 'Maximum tool calls of one run at a time. Further calls wait.',
      details: 'The time limit of a call starts when the call starts.',
    }),
    MAX_PARALLEL_TOOL_CALLS: setting('chat.parallelToolCalls.perPrincipal', {
      format: integer(1, 10_000),
      default: DEFAULT_TOOL_CONCURRENCY.perPrincipal,
      example: '8',
      effect:
        'Maximum tool calls of one caller at a time, over all runs in this process. Further calls wait.',
    }),
    TOOL_RESULT_MAX_BYTES: setting('assistant.toolResultMaxBytes', {
      format: bytes(1024),
      default: DEFAULT_RESULT_MAX_BYTES,
      example: '32KiB',
      effect: 'Cuts a tool result for the model at this number of bytes, and adds a note.',
      details: 'The cut is between two characters. People see the whole result.',
    }),
    RUN_MAX_SECONDS: setting('chat.limits.maxMs', {
      format: seconds(1, 86_400),
      default: DEFAULT_LIMITS.maxMs,
      example: '60',
      effect: 'Ends a run that takes longer than this.',
      details:
        'The time counts from the start of the run and includes time without an owner. A run that exceeds this limit, or one of the four below, ends `failed` with `RUN_LIMIT`, and its text is kept.',
    }),
    RUN_MAX_MODEL_CALLS: setting('chat.limits.maxModelCalls', {
      format: integer(1, 100_000),
      default: DEFAULT_LIMITS.maxModelCalls,
      example: '10',
      effect: 'Ends a run that makes more model calls than this.',
    }),
    RUN_MAX_TOOL_CALLS: setting('chat.limits.maxToolCalls', {
      format: integer(0, 100_000),
      default: DEFAULT_LIMITS.maxToolCalls,
      example: '10',
      effect: 'Ends a run that makes more tool calls than this.',
    }),
    RUN_MAX_TOKENS: setting('chat.limits.maxTokens', {
      format: integer(1, 1_000_000_000),
      default: DEFAULT_LIMITS.maxTokens,
      example: '100000',
      effect: 'Ends a run that uses more tokens than this, input and output together.',
      details: 'The counts are those of the provider.',
    }),
    RUN_MAX_LOG_BYTES: setting('chat.limits.maxLogBytes', {
      format: bytes(64 * 1024),
      default: DEFAULT_LIMITS.maxLogBytes,
      example: '1MiB',
      effect: 'Ends a run whose log exceeds this number of bytes.',
    }),
    FILE_MAX_BYTES: setting('chat.files.maxFileBytes', {
      format: bytes(1024),
      default: DEFAULT_FILE_LIMITS.maxFileBytes,
      example: '1MiB',
      effect:
        'Maximum size of a file. A larger one of a person gets 413; one of a model or a tool is left out.',
      details:
        'The log says that it is missing. An upload is held in memory until it is stored: `MAX_BODY_BYTES_IN_FLIGHT` has to be at least four times this.',
      // Enforced before anything is stored: src/runs/run-files.spec.ts.
      isAboutSecurity: false,
    }),
    FILES_MAX_BYTES: setting('chat.files.maxOwnerBytes', {
      format: bytes(1024),
      default: DEFAULT_FILE_LIMITS.maxOwnerBytes,
      example: '100MiB',
      effect:
        'Maximum size of all files of one user. Further uploads get 413; files of models and tools are left out.',
      details: 'Deleting a conversation frees the space of its files.',
      // Enforced in the step that stores the file: the contract of the storages.
      isAboutSecurity: false,
    }),
    FILE_TYPES: setting('chat.files.types', {
      format: mediaRanges(),
      default: DEFAULT_UPLOAD_RULES.types,
      example: 'image/*,application/pdf',
      effect: 'Media types of files that people may send, and ranges of them. Others get 415.',
      details:
        'The type comes from the bytes. The agent has to take it as well: `MODEL_ACCEPTS`. See [files](../guides/files.md).',
      // Enforced before anything is stored: src/runs/file.service.spec.ts.
      isAboutSecurity: false,
    }),
    FILE_URLS: setting('chat.files.allowUrls', {
      format: boolean(),
      default: DEFAULT_UPLOAD_RULES.allowUrls,
      example: 'true',
      effect: 'Takes files that a message names by URL. The model provider fetches them.',
      details:
        'This server never does. The provider learns the URL, and what is there may change between two turns.',
      // Enforced before a run is stored: src/runs/file.service.spec.ts.
      isAboutSecurity: false,
    }),
    FILE_UPLOAD_MINUTES: setting('chat.files.keepUploadsMs', {
      format: minutes(1, 10_080),
      default: DEFAULT_UPLOAD_RULES.keepUploadsMs,
      example: '15',
      effect: 'Removes an upload that no message has named after this many minutes.',
      details: 'A file of a message is kept as long as its conversation.',
      isAboutSecurity: false,
    }),
    FILES_URL: setting('chat.files.url', {
      format: webUrl(),
      example: 'https://chat.example.com/api/chat/files',
      effect: 'Names files by this URL in other protocols.',
      details: 'Default: a path on the same host. Set it if clients are elsewhere, such as A2A agents.',
      isAboutSecurity: false,
    }),
    RUN_MAX_OWNERS: setting('chat.limits.maxOwners', {
      format: integer(1, 1_000_000),
      default: DEFAULT_LIMITS.maxOwners,
      example: '1',
      effect:
        'Gives a run up with `RUN_POISONED` when this number of processes have died while they executed it.',
      details:
        'A process that falls silent counts as dead; a graceful restart does not count. The agent does not run again.',
      // About runs that kill their process: test/poison.spec.ts.
      isAboutSecurity: false,
    }),
  },
} as const;
