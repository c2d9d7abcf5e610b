import type { z } from 'zod';
import type { Tool, ToolContext, ToolProgressUpdate } from './agent-tool.js';

/**
 * Calls a tool and returns its result, whatever `execute` gives: a value, a promise, or an async generator, whose yields
 * go to `context.progress`. Once `context.signal` is aborted it rejects at once with the signal's reason, even if the
 * tool does not listen to the signal; a generator gets a `return()`, so that its `finally` blocks run.
 */
export async function executeTool<Input extends z.ZodObject>(
  tool: Pick<Tool<Input>, 'execute'>,
  input: z.output<Input>,
  context: ToolContext,
): Promise<unknown> {
  const { signal } = context;
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([complete(tool, input, context), aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

async function complete<Input extends z.ZodObject>(
  tool: Pick<Tool<Input>, 'execute'>,
  input: z.output<Input>,
  context: ToolContext,
): Promise<unknown> {
  const result = await tool.execute(input, context);
  return isAsyncGenerator(result) ? drain(result, context) : result;
}

async function drain(
  generator: AsyncGenerator<ToolProgressUpdate, unknown, void>,
  context: ToolContext,
): Promise<unknown> {
  const { signal } = context;
  // A generator queues this behind the step it is in. A failure while it cleans up has no one left to tell.
  const stop = (): void => void generator.return(undefined).catch(() => undefined);
  if (signal.aborted) return stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    for (;;) {
      const step = await generator.next();
      if (step.done || signal.aborted) return step.value;
      context.progress(step.value);
    }
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** By tag and not by shape: a stream that a tool returns as its result is async iterable too. */
function isAsyncGenerator(value: unknown): value is AsyncGenerator<ToolProgressUpdate, unknown, void> {
  return Object.prototype.toString.call(value) === '[object AsyncGenerator]';
}
