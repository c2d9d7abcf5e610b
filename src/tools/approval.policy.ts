import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import type { Principal } from '../principal.js';
import type { Tool } from './agent-tool.js';
import { expose, type Exposed } from './exposure.js';

/** Which calls of a tool wait for a person, and what that person sees. */
export interface ApprovalOptions<Input extends z.ZodObject = z.ZodObject> {
  /** Default: every call. It must say the same whenever it is asked about the same call; one that throws says yes. */
  readonly when?: (input: z.output<Input>, principal: Principal) => boolean;
  /** Milliseconds until a call that nobody has decided on counts as denied. Default: what the module says. */
  readonly expiresInMs?: number;
  /** What of the arguments is shown to whoever decides, and so is in the log. Default: all of them. */
  readonly shows?: Exposed<z.output<Input>>;
}

/** What holds for all tools of a module. */
export interface ApprovalDefaults {
  /** Tools whose calls wait although their authors did not say so, by name. */
  readonly tools: readonly string[];
  /** Milliseconds. */
  readonly expiresInMs: number;
}

export const DEFAULT_APPROVALS: ApprovalDefaults = { tools: [], expiresInMs: 7 * 24 * 60 * 60_000 };

/** What is asked before a call is made. */
export interface Question {
  readonly input: unknown;
  readonly expiresAt: number;
}

/** Says which calls wait for a person. */
@Injectable()
export class ApprovalPolicy {
  constructor(private readonly defaults: ApprovalDefaults = DEFAULT_APPROVALS) {}

  /** Undefined: the call may be made at once. */
  questionFor(tool: Tool, input: Record<string, unknown>, principal: Principal): Question | undefined {
    const declared = tool.approval ?? this.defaults.tools.includes(tool.name);
    if (declared === false) return undefined;
    const { when, expiresInMs = this.defaults.expiresInMs, shows = true } = declared === true ? {} : declared;
    if (when && !says(when, input, principal)) return undefined;
    return { input: expose(shows, input) ?? {}, expiresAt: Date.now() + expiresInMs };
  }
}

/** The same in every attempt at this call, different for every other, and safe in a URL whatever the model calls its calls. */
export function approvalIdOf({
  stepId,
  toolCallId,
}: {
  readonly stepId: string;
  readonly toolCallId: string;
}): string {
  return createHash('sha256').update(`${stepId} ${toolCallId}`).digest('base64url').slice(0, 22);
}

/** What fails to say no has not said it. */
function says(
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
