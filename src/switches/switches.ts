import { Injectable } from '@nestjs/common';
import { AppError } from '../errors.js';
import type { Owner } from '../principal.js';
import { toSwitchKey, type SwitchedOff } from './switch.js';

/**
 * The targets that are switched off, as this process knows them. They are looked up in memory before anything begins. {@link
 * SwitchService} keeps it up to date.
 */
@Injectable()
export class Switches {
  private off: ReadonlyMap<string, SwitchedOff> = new Map();
  private readonly listeners = new Set<() => void>();

  get list(): readonly SwitchedOff[] {
    return [...this.off.values()];
  }

  /** Takes these for all that is switched off, and tells those who listen, when that is news. */
  replace(list: readonly SwitchedOff[]): void {
    const off = new Map(list.map((each) => [toSwitchKey(each.target), each]));
    const isSame = off.size === this.off.size && [...off.keys()].every((key) => this.off.has(key));
    this.off = off;
    if (!isSame) for (const listener of this.listeners) listener();
  }

  /** Calls `listener` after each change; returns what stops it. */
  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  /** Returns why this principal may do nothing; undefined when nothing is against it. */
  refuseCaller({ tenant, userId }: Owner): AppError | undefined {
    if (this.off.size === 0) return undefined;
    if (
      this.off.has(toSwitchKey({ kind: 'tenant', tenant })) ||
      this.off.has(toSwitchKey({ kind: 'user', tenant, userId }))
    )
      return new AppError('SWITCHED_OFF', 'An operator has switched your access off.');
    return undefined;
  }

  /** Returns why a run of this agent for this principal may not go on; undefined when nothing is against it. */
  refuseRun({
    agent,
    principal,
  }: {
    readonly agent: string;
    readonly principal: Owner;
  }): AppError | undefined {
    if (this.off.size === 0) return undefined;
    if (this.off.has(toSwitchKey({ kind: 'agent', name: agent })))
      return new AppError('SWITCHED_OFF', `An operator has switched the agent '${agent}' off.`);
    return this.refuseCaller(principal);
  }

  /** Returns why this tool may not be called; undefined when nothing is against it. */
  refuseTool(name: string): AppError | undefined {
    if (this.off.size === 0 || !this.off.has(toSwitchKey({ kind: 'tool', name }))) return undefined;
    return new AppError('TOOL_DENIED', `An operator has switched the tool '${name}' off.`);
  }
}
