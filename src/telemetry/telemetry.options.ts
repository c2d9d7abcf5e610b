export interface TelemetryOptions {
  /** True to record the metrics of model calls under their names before v0.1.0 of the conventions as well. Default false. */
  readonly legacyMetrics?: boolean;
  /**
   * True to put onto spans what was said: messages, and arguments and results of tools. Default false: everyone who reads traces would
   * read conversations.
   */
  readonly content?: boolean;
  /**
   * Hosts of MCP servers and pages that are sent the trace they are called in (`traceparent`), such as `tools.example.com` or
   * `*.internal.example.com`. Default: none. Providers of models always are.
   */
  readonly propagateTo?: readonly string[];
}
