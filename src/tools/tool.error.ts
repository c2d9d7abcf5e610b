import { AppError } from '../errors.js';

/**
 * A failure that a tool puts in words for people: about the arguments that it was given, and what became of them. Everybody who may read the run
 * reads the message, so it names nothing that the input and the label do not show already, and nothing of what is inside. Of any other error people
 * see that the tool failed, and no more.
 */
export class ToolError extends AppError {
  /** The message for the model. It knows its own arguments, and may need more details than people to try again. */
  readonly modelMessage: string;

  /**
   * @param message a sentence for people
   * @param options `modelMessage`: for the model, in place of the message; `retryable`: the same call may succeed later (default false); `cause`: for the log
   */
  constructor(
    message: string,
    {
      modelMessage = message,
      ...options
    }: { readonly modelMessage?: string; readonly retryable?: boolean; readonly cause?: unknown } = {},
  ) {
    super('TOOL_FAILED', message, options);
    this.modelMessage = modelMessage;
  }
}
