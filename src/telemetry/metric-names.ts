/** A metric: its name, and how it is measured. */
export interface MetricDescription {
  readonly name: string;
  readonly kind: 'counter' | 'histogram' | 'gauge';
  /** In the Unified Code for Units of Measure. */
  readonly unit: string;
  readonly description: string;
  /** Upper bounds of a histogram's buckets. */
  readonly buckets?: readonly number[];
}

/** Returns `first`, and each time `factor` times as much. */
function powers(first: number, factor: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => Number((first * factor ** index).toPrecision(12)));
}

/** The buckets that the conventions name for calls, for runs and for counts. */
const CALL_SECONDS = powers(0.01, 2, 14);
const RUN_SECONDS = powers(0.1, 2, 13);
const COUNTS = powers(1, 2, 8);
const TOKENS = powers(1, 4, 14);
/** Ours, for what takes milliseconds when all is well. */
const SHORT_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];
const WAIT_SECONDS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800];

const describeAll = <Key extends string>(metrics: Readonly<Record<Key, MetricDescription>>) => metrics;

/** Those of the conventions for generative AI, v0.1.0. `time_per_output_chunk` is left out: it would be one measurement a token. */
const GEN_AI = describeAll({
  inferenceDuration: {
    name: 'gen_ai.client.inference.duration',
    kind: 'histogram',
    unit: 's',
    description: 'Duration of a model call.',
    buckets: CALL_SECONDS,
  },
  timeToFirstChunk: {
    name: 'gen_ai.client.inference.time_to_first_chunk',
    kind: 'histogram',
    unit: 's',
    description: 'Time from a model call to the first chunk of its answer.',
    buckets: CALL_SECONDS,
  },
  inputTokens: {
    name: 'gen_ai.client.inference.usage.input_tokens',
    kind: 'counter',
    unit: '{token}',
    description: 'Tokens that models have read, cached ones included.',
  },
  outputTokens: {
    name: 'gen_ai.client.inference.usage.output_tokens',
    kind: 'counter',
    unit: '{token}',
    description: 'Tokens that models have written, reasoning included.',
  },
  cacheReadTokens: {
    name: 'gen_ai.client.inference.usage.cache_read.input_tokens',
    kind: 'counter',
    unit: '{token}',
    description: "Input tokens that came from a provider's cache.",
  },
  cacheWriteTokens: {
    name: 'gen_ai.client.inference.usage.cache_write.input_tokens',
    kind: 'counter',
    unit: '{token}',
    description: "Input tokens that went into a provider's cache.",
  },
  reasoningTokens: {
    name: 'gen_ai.client.inference.usage.reasoning.output_tokens',
    kind: 'counter',
    unit: '{token}',
    description: 'Output tokens that were reasoning.',
  },
  agentDuration: {
    name: 'gen_ai.invoke_agent.duration',
    kind: 'histogram',
    unit: 's',
    description: "Duration of an agent's work on a run, by one owner.",
    buckets: RUN_SECONDS,
  },
  agentModelCalls: {
    name: 'gen_ai.invoke_agent.inference_calls',
    kind: 'histogram',
    unit: '{inference_call}',
    description: "Model calls in an agent's work on a run.",
    buckets: COUNTS,
  },
  agentToolCalls: {
    name: 'gen_ai.invoke_agent.tool_calls',
    kind: 'histogram',
    unit: '{tool_call}',
    description: "Tool calls in an agent's work on a run.",
    buckets: COUNTS,
  },
  toolDuration: {
    name: 'gen_ai.execute_tool.duration',
    kind: 'histogram',
    unit: 's',
    description: 'Duration of a tool call.',
    buckets: CALL_SECONDS,
  },
});

/** The older names of the conventions, recorded beside the others where the option `legacyMetrics` says so. */
const LEGACY = describeAll({
  legacyDuration: {
    name: 'gen_ai.client.operation.duration',
    kind: 'histogram',
    unit: 's',
    description: 'Duration of a model call, under its name before v0.1.0.',
    buckets: CALL_SECONDS,
  },
  legacyTokens: {
    name: 'gen_ai.client.token.usage',
    kind: 'histogram',
    unit: '{token}',
    description: 'Tokens of a model call, under its name before v0.1.0.',
    buckets: TOKENS,
  },
});

const OWN = describeAll({
  runsEnded: {
    name: 'agent_stream.runs.ended',
    kind: 'counter',
    unit: '{run}',
    description: 'Runs that have ended, by outcome.',
  },
  runsCost: {
    name: 'agent_stream.runs.cost',
    kind: 'counter',
    unit: '{currency}',
    description:
      'Cost of the runs that have ended and of titles of threads, in the currency of the price table, by agent.',
  },
  runsUnpricedTokens: {
    name: 'agent_stream.runs.unpriced_tokens',
    kind: 'counter',
    unit: '{token}',
    description:
      'Tokens of the runs that have ended and of titles of threads for which the table has no price, by agent.',
  },
  runsActive: {
    name: 'agent_stream.runs.active',
    kind: 'gauge',
    unit: '{run}',
    description: 'Runs at work in this process.',
  },
  runsLongest: {
    name: 'agent_stream.runs.longest',
    kind: 'gauge',
    unit: 's',
    description: 'Time since this process took the run that it has had for longest; 0 without any.',
  },
  runsWaiting: {
    name: 'agent_stream.runs.waiting',
    kind: 'gauge',
    unit: '{run}',
    description: 'Runs of the storage that wait for an owner; the same in all processes that share it.',
  },
  runWait: {
    name: 'agent_stream.run.wait',
    kind: 'histogram',
    unit: 's',
    description: 'Time from the creation of a run to its first owner.',
    buckets: WAIT_SECONDS,
  },
  takeovers: {
    name: 'agent_stream.runs.taken_over',
    kind: 'counter',
    unit: '{run}',
    description: 'Runs that went on under a new owner, by reason.',
  },
  openStreams: {
    name: 'agent_stream.streams.open',
    kind: 'gauge',
    unit: '{stream}',
    description: 'Streams that this process has open, by protocol.',
  },
  firstFrame: {
    name: 'agent_stream.stream.first_frame',
    kind: 'histogram',
    unit: 's',
    description: 'Time from a request to the first frame of its stream.',
    buckets: [...SHORT_SECONDS, 5, 10],
  },
  commitToWire: {
    name: 'agent_stream.stream.commit_to_wire',
    kind: 'histogram',
    unit: 's',
    description:
      "Time from a commit to the write of its frames to a reader's connection; a sample, one commit at a time.",
    buckets: SHORT_SECONDS,
  },
  sentBytes: {
    name: 'agent_stream.stream.sent',
    kind: 'counter',
    unit: 'By',
    description: 'Bytes of frames that were written to readers.',
  },
  cursorResets: {
    name: 'agent_stream.stream.resets',
    kind: 'counter',
    unit: '{stream}',
    description: 'Readers that had to begin again because their cursor could not be honoured, by reason.',
  },
  appendDuration: {
    name: 'agent_stream.log.append.duration',
    kind: 'histogram',
    unit: 's',
    description: 'Duration of an append of events to the log, for all runs of the process together.',
    buckets: SHORT_SECONDS,
  },
  feedback: {
    name: 'agent_stream.feedback',
    kind: 'counter',
    unit: '{answer}',
    description: 'Answers that were rated, or rated otherwise, by agent and rating.',
  },
  hookCalls: {
    name: 'agent_stream.hook.calls',
    kind: 'counter',
    unit: '{call}',
    description: 'Calls of hooks of the host, by hook and result.',
  },
  eventLoopDelayP99: {
    name: 'nodejs.eventloop.delay.p99',
    kind: 'gauge',
    unit: 's',
    description: '99th percentile of the delay of the event loop since the last reading.',
  },
  eventLoopDelayMax: {
    name: 'nodejs.eventloop.delay.max',
    kind: 'gauge',
    unit: 's',
    description: 'Longest delay of the event loop since the last reading.',
  },
});

export const METRICS = { ...GEN_AI, ...LEGACY, ...OWN };

export type MetricKey = keyof typeof METRICS;
