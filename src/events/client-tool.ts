/** A tool that the front end runs, as a start declares it. The model sees it beside the server's own tools. */
export interface ClientTool {
  /** 1 to 64 letters, digits, `_` and `-`. None of the names that the agent's own tools have. */
  readonly name: string;
  readonly description: string;
  /** JSON Schema of the arguments. Default: any object. */
  readonly inputSchema?: Readonly<Record<string, unknown>>;
}
