import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { AppError } from '../errors.js';
import { mayUse, type Principal } from '../principal.js';
import type { Tool } from './agent-tool.js';

/** The tools of this application by name. Methods with `@AgentTool` get here by themselves; others are registered by hand. */
@Injectable()
export class ToolRegistry {
  readonly #entries = new Map<string, { readonly tool: Tool; readonly origin: string }>();

  /**
   * @param origin where the tool is written, for the people who read the error: `OrdersService.findOrder`
   * @throws AppError `TOOL_INVALID` when the declaration cannot work, `TOOL_DUPLICATE` when the name is taken
   */
  register<Input extends z.ZodObject>(tool: Tool<Input>, origin: string): void {
    const fault = findFault(tool);
    if (fault !== undefined) throw new AppError('TOOL_INVALID', `The tool of ${origin} ${fault}`);
    const taken = this.#entries.get(tool.name);
    if (taken) throw new AppError('TOOL_DUPLICATE', createDuplicateError(tool.name, taken.origin, origin));
    this.#entries.set(tool.name, { tool, origin });
  }

  /** True when there was such a tool. Calls that run already go on. */
  unregister(name: string): boolean {
    return this.#entries.delete(name);
  }

  get(name: string): Tool | undefined {
    return this.#entries.get(name)?.tool;
  }

  /** Returns the place where the tool is declared, as it was registered. */
  getOrigin(name: string): string | undefined {
    return this.#entries.get(name)?.origin;
  }

  /** In the order of registration, so that the model sees the same prompt in each run. */
  list(): readonly Tool[] {
    return [...this.#entries.values()].map(({ tool }) => tool);
  }

  /** Those that the principal's roles allow. Another tool does not exist for this principal. */
  availableTo(principal: Principal): readonly Tool[] {
    return this.list().filter((tool) => mayUse(principal, tool.roles));
  }
}

/** Returns the fault that makes this declaration unusable, as the rest of a sentence, with the remedy; undefined if there is none. */
function findFault({
  name,
  input,
  timeoutMs,
}: Pick<Tool, 'name' | 'timeoutMs'> & { readonly input: unknown }): string | undefined {
  if (typeof name !== 'string' || !/^[A-Za-z0-9_-]{1,64}$/.test(name)) {
    return `is named '${name}'. Use 1 to 64 letters, digits, '_' and '-'.`;
  }
  if (!isZodObject(input)) {
    return `('${name}') has an input that is no zod object. Write input: z.object({ … }), with zod 4.`;
  }
  if (timeoutMs !== undefined && !(Number.isFinite(timeoutMs) && timeoutMs > 0)) {
    return `('${name}') has timeoutMs ${timeoutMs}. Give a positive number of milliseconds, or leave it out for 60,000.`;
  }
  return undefined;
}

/** Asks the schema what it is, and not instanceof: the host may have a zod of its own. */
function isZodObject(schema: unknown): boolean {
  return (schema as Partial<z.ZodObject> | undefined)?._zod?.def?.type === 'object';
}

function createDuplicateError(name: string, first: string, second: string): string {
  return first === second
    ? `The tool '${name}' of ${first} was found twice. Provide its class in one module and export it from there.`
    : `Two tools are named '${name}': ${first} and ${second}. Rename one in its @AgentTool.`;
}
