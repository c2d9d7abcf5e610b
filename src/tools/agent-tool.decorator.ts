import type { z } from 'zod';
import { AppError } from '../errors.js';
import type { ToolContext, ToolOptions } from './agent-tool.js';

// Symbol.for: an application may load two copies of this package, and each must see the other's tools.
const OPTIONS = Symbol.for('nestjs-agent-stream:agent-tool');

/** A method that can be a tool: what the schema accepts goes in, a value, a promise or an async generator comes out. */
export type AgentToolMethod<Input extends z.ZodObject> = (
  input: z.output<Input>,
  context: ToolContext,
) => unknown;

/**
 * Makes a method of any provider or controller a tool that agents can call. The method's first parameter must fit what
 * the schema lets through, its second is the {@link ToolContext}; anything else does not compile. It is found at
 * start-up, on singletons and on request-scoped and transient providers (resolved for each call); a subclass
 * inherits it.
 *
 * @throws AppError `TOOL_INVALID` on a static method, which no provider has; faults in the options are reported when
 *   the application starts
 */
export function AgentTool<Input extends z.ZodObject>(options: ToolOptions<Input>) {
  return <Method extends AgentToolMethod<Input>>(
    target: object,
    method: string | symbol,
    _descriptor: TypedPropertyDescriptor<Method>,
  ): void => {
    if (typeof target === 'function') {
      throw new AppError(
        'TOOL_INVALID',
        `The tool '${options.name}' is on the static method ${target.name}.${String(method)}. Put @AgentTool on an instance method.`,
      );
    }
    // On the class and not on the function: another decorator may replace the function by a wrapper of its own.
    Reflect.defineMetadata(OPTIONS, options, target, method);
  };
}

/** Returns the options of `@AgentTool` for a method of this prototype or of one it extends; undefined if it is not a tool. */
export function agentToolOptions(prototype: object, method: string): ToolOptions | undefined {
  return Reflect.getMetadata(OPTIONS, prototype, method) as ToolOptions | undefined;
}
