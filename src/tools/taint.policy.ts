import { Injectable } from '@nestjs/common';
import { AppError } from '../errors.js';
import type { ConversationSources, Tool } from './agent-tool.js';
import { matchesHost, toHostPattern, type HostPattern } from './library/http-fetch/host-pattern.js';
import { findUnnamed } from './named-hosts.js';

/** Rules for tainted runs: runs whose conversation has text of strangers in its memory. */
export interface TaintOptions {
  /**
   * Rule for a call that has effects outside, or that sends data to a host which neither the person nor `knownHosts` has named:
   * `ask` (default) lets a person decide, `deny` refuses it, `allow` makes it as in any other run.
   */
  readonly rule: 'ask' | 'allow' | 'deny';
  /** Tools that read words of strangers although their authors did not say so, by name; also those that a graph of your own brings. */
  readonly foreignTools: readonly string[];
  /** Hosts that data may be sent to without asking: `docs.example.com`, or `*.example.org` for all below it. */
  readonly knownHosts: readonly string[];
}

export const DEFAULT_TAINT: TaintOptions = { rule: 'ask', foreignTools: [], knownHosts: [] };

/** A reason against making a call without asking, worded for the person who decides. */
export interface Objection {
  readonly rule: 'ask' | 'deny';
  readonly reason: string;
}

/** Says which tools taint a run, and which calls of a tainted run are not simply made. */
@Injectable()
export class TaintPolicy {
  private readonly foreignTools: ReadonlySet<string>;
  private readonly knownHosts: readonly HostPattern[];

  /** @throws AppError CONFIG_INVALID when one of `knownHosts` cannot be read */
  constructor(private readonly options: TaintOptions = DEFAULT_TAINT) {
    this.foreignTools = new Set(options.foreignTools);
    this.knownHosts = options.knownHosts.map((text) => toHostPattern(text) ?? createUnreadable(text));
  }

  /** @param tool undefined for one that is not in the registry: a graph's own */
  isForeign(name: string, tool: Pick<Tool, 'reads'> | undefined): boolean {
    return tool?.reads === 'foreign' || this.foreignTools.has(name);
  }

  /** Undefined: the run is not tainted, or it may make this call all the same. Never rejects: what cannot be found out counts as tainted. */
  async findObjection(
    tool: Tool,
    input: Record<string, unknown>,
    sources: ConversationSources,
  ): Promise<Objection | undefined> {
    const { rule } = this.options;
    if (rule === 'allow') return undefined;
    const hasEffects = hasEffectsOutside(tool);
    const hosts = this.findUnknownHosts(tool, input);
    if (!hasEffects && hosts.length === 0) return undefined;
    try {
      const strangers = await sources.readStrangers();
      if (strangers.length === 0) return undefined;
      if (hasEffects) return { rule, reason: toReason(strangers, 'this call has effects outside of it') };
      const unnamed = findUnnamed(hosts, await sources.readPersonText());
      if (unnamed.length === 0) return undefined;
      return {
        rule,
        reason: toReason(
          strangers,
          `this call sends data to ${formatList(unnamed)}, which you have not named`,
        ),
      };
    } catch {
      return {
        rule,
        reason: 'The server could not check whether this conversation has read text of strangers.',
      };
    }
  }

  /**
   * True if data may be sent to this host without asking anybody: the run is not tainted, or the host was named. For what a call finds
   * out only on its way, such as where a page redirects to.
   */
  async mayReach(host: string, sources: ConversationSources): Promise<boolean> {
    if (this.options.rule === 'allow' || this.isKnown(host)) return true;
    if ((await sources.readStrangers()).length === 0) return true;
    return findUnnamed([host], await sources.readPersonText()).length === 0;
  }

  private isKnown(host: string): boolean {
    return this.knownHosts.some((pattern) => matchesHost(pattern, host));
  }

  private findUnknownHosts({ sendsTo }: Tool, input: Record<string, unknown>): readonly string[] {
    if (!sendsTo) return [];
    try {
      return sendsTo(input).filter((host) => !this.isKnown(host));
    } catch {
      // Its host is unknown, so it was not named.
      return ['an unknown host'];
    }
  }
}

function hasEffectsOutside({ effects, sideEffect = 'none' }: Tool): boolean {
  return (effects ?? (sideEffect === 'none' ? 'none' : 'outside')) === 'outside';
}

const MOST_NAMES = 3;

function formatList(names: readonly string[]): string {
  return names.slice(0, MOST_NAMES).join(', ') + (names.length > MOST_NAMES ? ', …' : '');
}

function toReason(strangers: readonly string[], what: string): string {
  return `This conversation has read text of strangers (${formatList(strangers)}), and ${what}.`;
}

function createUnreadable(text: string): never {
  throw new AppError(
    'CONFIG_INVALID',
    `tainted.knownHosts has an entry that cannot be read: '${text}'. Write it like docs.example.com or *.example.org.`,
  );
}
