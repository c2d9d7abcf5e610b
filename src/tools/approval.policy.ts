import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import type { Principal } from '../principal.js';
import type { Tool } from './agent-tool.js';
import { expose, type Exposed } from './exposure.js';
import { findFormSchema } from './form-schema.js';

/** Options for the approval of a tool's calls: which of them wait for a person, and what that person sees. */
export interface ApprovalOptions<Input extends z.ZodObject = z.ZodObject> {
  /** Default: every call. It must say the same whenever it is asked about the same call; one that throws says yes. */
  readonly when?: (input: z.output<Input>, principal: Principal) => boolean;
  /** Milliseconds until an undecided call counts as denied. Default: what the module says. */
  readonly expiresInMs?: number;
  /** The parts of the arguments that are shown to the person who decides. They are in the log as well. Default: all of them. */
  readonly shows?: Exposed<z.output<Input>>;
}

/** Defaults for all tools of a module. */
export interface ApprovalDefaults {
  /** Tools whose calls wait although their authors did not say so, by name. */
  readonly tools: readonly string[];
  /** Milliseconds. */
  readonly expiresInMs: number;
}

export const DEFAULT_APPROVALS: ApprovalDefaults = { tools: [], expiresInMs: 7 * 24 * 60 * 60_000 };

/** The question to a person before a call is made. */
export interface ApprovalQuestion {
  readonly input: unknown;
  readonly expiresAt: number;
  /** JSON Schema of the arguments, for a form in which the person changes them. */
  readonly schema?: Readonly<Record<string, unknown>>;
  /** The reason to ask about this call, if the tool does not always ask. */
  readonly reason?: string;
}

/** Says which calls wait for a person. */
@Injectable()
export class ApprovalPolicy {
  constructor(private readonly defaults: ApprovalDefaults = DEFAULT_APPROVALS) {}

  /** Undefined: the call may be made at once. */
  findQuestion(
    tool: Tool,
    input: Record<string, unknown>,
    principal: Principal,
  ): ApprovalQuestion | undefined {
    const declared = tool.approval ?? this.defaults.tools.includes(tool.name);
    if (declared === false) return undefined;
    if (declared !== true && declared.when && !hasReason(declared.when, input, principal)) return undefined;
    return this.toQuestion(tool, input);
  }

  /** Returns the time at which a request made now counts as denied. Milliseconds since the epoch. */
  expiresAt(expiresInMs = this.defaults.expiresInMs): number {
    return Date.now() + expiresInMs;
  }

  /** The question about a call that has to be asked about, whatever its tool says. */
  toQuestion(
    { approval, ...tool }: Pick<Tool, 'approval' | 'input' | 'inputSchema'>,
    input: Record<string, unknown>,
  ): ApprovalQuestion {
    const { expiresInMs = this.defaults.expiresInMs, shows = true } =
      typeof approval === 'object' ? approval : {};
    // A person who sees only a part of the arguments is not told of the others.
    const schema = shows === true ? findFormSchema(tool) : undefined;
    return {
      input: expose(shows, input) ?? {},
      expiresAt: this.expiresAt(expiresInMs),
      ...(schema && { schema }),
    };
  }
}

/** The same in every attempt at this call, different for every other, and safe in a URL whatever the model calls its calls. */
export function toInputId({
  stepId,
  toolCallId,
}: {
  readonly stepId: string;
  readonly toolCallId: string;
}): string {
  return createHash('sha256').update(`${stepId} ${toolCallId}`).digest('base64url').slice(0, 22);
}

/** True if `when` asks for an approval of this call. If it throws, a person decides. */
function hasReason(
  when: NonNullable<ApprovalOptions['when']>,
  input: Record<string, unknown>,
  principal: Principal,
): boolean {
  try {
    return when(input, principal);
  } catch {
    return true;
  }
}
