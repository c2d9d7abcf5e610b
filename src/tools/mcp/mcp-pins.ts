import { Injectable, Logger } from '@nestjs/common';
import { AppError } from '../../errors.js';
import type { Owner } from '../../principal.js';
import { SecurityLog } from '../../security/security-log.service.js';
import { SharedState } from '../../shared-state.js';
import type { McpToolDescription } from './mcp-connection.js';
import { toFingerprint } from './mcp-fingerprint.js';
import type { McpServerOptions } from './mcp.options.js';

/** Maximum number of a server's tools that are looked at. More is left out. */
const MOST_TOOLS = 500;
/** Names of a server that are remembered, pinned or refused. A server that keeps making up names gets no further. */
const MOST_NAMES = 1_000;
/** Characters of a description that operators are shown. */
const SHOWN = 4_000;

/** A tool of an MCP server by the server's own name for it. */
export interface McpToolName {
  readonly server: string;
  readonly tool: string;
}

/** The description of a tool that agents may be given. */
export interface McpPin extends McpToolName {
  readonly hash: string;
  readonly at: number;
  /** The owner who accepted it; absent if it came first, or if it is in the configuration. */
  readonly by?: Owner;
  readonly shown: McpDescription;
}

/** A tool that is left out, until somebody accepts it. */
export interface McpRefusal extends McpToolName {
  readonly hash: string;
  readonly at: number;
  readonly why: McpRefusalReason;
  readonly shown: McpDescription;
}

/** `changed` since it was accepted, `new` on a server whose list was, or never listed at all. */
export type McpRefusalReason = 'changed' | 'new' | 'not-listed';

/** The words of strangers that a pin is about, shortened. */
export interface McpDescription {
  readonly description?: string;
  readonly inputSchema: string;
}

/** Carries acceptances to the other instances that have the server. */
export interface McpPinHints {
  notify(topic: 'mcp-pins'): void;
}

/**
 * Holds the tools of MCP servers to the descriptions that were accepted, on all instances that share the storage: a server that
 * describes a tool otherwise than before may have been taken over, and its words go straight to the model.
 */
@Injectable()
export class McpPins {
  private readonly logger = new Logger(McpPins.name);
  /** Messages that this process has logged already. */
  private readonly told = new Set<string>();

  constructor(
    private readonly state: SharedState,
    private readonly security: SecurityLog,
    private readonly hints: McpPinHints,
  ) {}

  /**
   * Returns those of a server's tools that agents may be given. The others are noted for operators, and logged with the way to accept
   * them.
   *
   * @throws AppError STORAGE_FAILED
   */
  async admit(
    options: McpServerOptions,
    described: readonly McpToolDescription[],
  ): Promise<McpToolDescription[]> {
    const { name: server, pinning = 'first-use' } = options;
    if (pinning === 'none') return [...described];
    const look = await this.lookAt(options);
    const admitted: McpToolDescription[] = [];
    for (const tool of described.slice(0, MOST_TOOLS)) {
      if (await this.isAdmitted(tool, look)) admitted.push(tool);
    }
    if (described.length > MOST_TOOLS) {
      this.logger.warn(
        { server, tools: described.length },
        `An MCP server has more than ${MOST_TOOLS} tools. The rest is left out.`,
      );
    }
    if (!look.isListed) await this.state.set(LISTS + encodeURIComponent(server), { at: Date.now() });
    return admitted;
  }

  /** Everything that is pinned, and everything that is refused. */
  async list(): Promise<{ readonly pinned: readonly McpPin[]; readonly refused: readonly McpRefusal[] }> {
    const [pinned, refused] = await Promise.all([this.state.list(PINS), this.state.list(REFUSALS)]);
    return {
      pinned: pinned.map(({ value }) => value as McpPin),
      refused: refused.map(({ value }) => value as McpRefusal),
    };
  }

  /**
   * Lets agents have a tool that was refused, as it was then: it comes back on all instances. By naming its hash, the operator says
   * what they have looked at.
   *
   * @throws AppError NOT_FOUND when no tool with this hash is refused; STORAGE_FAILED
   */
  async accept({ server, tool, hash }: McpToolName & { readonly hash: string }, by?: Owner): Promise<McpPin> {
    const refused = (await this.state.get(toKey(REFUSALS, server, tool))) as McpRefusal | undefined;
    if (refused?.hash !== hash) {
      throw new AppError(
        'NOT_FOUND',
        `No tool '${tool}' of '${server}' with this hash is refused. It may have changed again.`,
      );
    }
    const { shown } = refused;
    const pin = {
      server,
      tool,
      hash,
      at: Date.now(),
      shown,
      ...(by && { by: { tenant: by.tenant, userId: by.userId } }),
    };
    await this.state.set(toKey(PINS, server, tool), pin);
    await this.state.delete(toKey(REFUSALS, server, tool));
    this.security.record({
      type: 'tool-accepted',
      subject: `${server}/${tool}`,
      reason: hash,
      ...(by && { principal: by }),
    });
    this.hints.notify('mcp-pins');
    return pin;
  }

  private async lookAt({
    name: server,
    pinning = 'first-use',
    accepted = [],
  }: McpServerOptions): Promise<Look> {
    const of = encodeURIComponent(server);
    const [pinned, refused, list] = await Promise.all([
      this.state.list(`${PINS}${of}:`),
      this.state.list(`${REFUSALS}${of}:`),
      this.state.get(LISTS + of),
    ]);
    return {
      server,
      pinning,
      accepted: new Set(accepted),
      pins: new Map(pinned.map(({ value }) => [(value as McpPin).tool, value as McpPin])),
      refusals: new Map(refused.map(({ value }) => [(value as McpRefusal).tool, value as McpRefusal])),
      isListed: list !== undefined,
    };
  }

  private async isAdmitted(tool: McpToolDescription, look: Look): Promise<boolean> {
    const { server, pinning, accepted, pins, isListed } = look;
    const { name } = tool;
    const hash = fingerprint(tool);
    if (hash === undefined) return this.leaveOut(tool, look, { hash: 'unreadable', why: 'changed' });
    const pin: McpPin = { server, tool: name, hash, at: Date.now(), shown: toShown(tool) };
    const pinned = pins.get(name);
    if (pinned?.hash === hash) return this.clear(name, look);
    if (accepted.has(hash)) {
      await this.state.set(toKey(PINS, server, name), pin);
      return this.clear(name, look);
    }
    if (pinned) return this.leaveOut(tool, look, { hash, why: 'changed' });
    if (pinning === 'listed') return this.leaveOut(tool, look, { hash, why: 'not-listed' });
    if (pinning === 'first-list' && isListed) return this.leaveOut(tool, look, { hash, why: 'new' });
    if (pins.size + look.refusals.size >= MOST_NAMES) return this.leaveOut(tool, look, { hash, why: 'new' });
    const first = (await this.state.create(toKey(PINS, server, name), pin)) as McpPin;
    pins.set(name, first);
    return first.hash === hash || this.leaveOut(tool, look, { hash, why: 'changed' });
  }

  /** It is what was accepted, and no longer refused if it was. */
  private async clear(name: string, { server, refusals }: Look): Promise<true> {
    if (refusals.has(name)) await this.state.delete(toKey(REFUSALS, server, name));
    return true;
  }

  private async leaveOut(
    tool: McpToolDescription,
    { server, pins, refusals }: Look,
    { hash, why }: Pick<McpRefusal, 'hash' | 'why'>,
  ): Promise<false> {
    const { name } = tool;
    const known = refusals.get(name);
    if (known?.hash !== hash && (known || pins.size + refusals.size < MOST_NAMES)) {
      const refusal: McpRefusal = { server, tool: name, hash, why, at: Date.now(), shown: toShown(tool) };
      await this.state.set(toKey(REFUSALS, server, name), refusal);
      refusals.set(name, refusal);
    }
    this.tell(tool, { server, hash, why, ...(pins.get(name) && { accepted: pins.get(name)?.hash }) });
    return false;
  }

  /** Once for each description in each process: a server is looked at again and again. */
  private tell(
    { name: tool }: McpToolDescription,
    fact: Pick<McpRefusal, 'server' | 'hash' | 'why'> & { readonly accepted?: string | undefined },
  ): void {
    const key = JSON.stringify([fact.server, tool, fact.hash]);
    if (this.told.has(key) || this.told.size >= MOST_NAMES) return;
    this.told.add(key);
    this.logger.warn(
      { ...fact, tool },
      'A tool of an MCP server is left out: its description is not one that was accepted. Look at it, then accept its hash ' +
        "as an operator, or in the server's `accepted`.",
    );
    this.security.record({ type: 'tool-changed', subject: `${fact.server}/${tool}`, reason: fact.why });
  }
}

/** The facts about a server when its tools are looked at. */
interface Look {
  readonly server: string;
  readonly pinning: Exclude<McpServerOptions['pinning'], undefined>;
  readonly accepted: ReadonlySet<string>;
  readonly pins: Map<string, McpPin>;
  readonly refusals: Map<string, McpRefusal>;
  /** True if its list of tools was seen before. */
  readonly isListed: boolean;
}

const PINS = 'mcp-pin:';
const REFUSALS = 'mcp-refused:';
const LISTS = 'mcp-list:';

function toKey(kind: string, server: string, tool: string): string {
  return `${kind}${encodeURIComponent(server)}:${encodeURIComponent(tool.toWellFormed())}`;
}

function fingerprint(tool: McpToolDescription): string | undefined {
  try {
    return toFingerprint(tool);
  } catch {
    return undefined;
  }
}

function toShown({ description, inputSchema }: McpToolDescription): McpDescription {
  return {
    ...(description !== undefined && { description: description.slice(0, SHOWN) }),
    inputSchema: schemaText(inputSchema).slice(0, SHOWN),
  };
}

function schemaText(schema: unknown): string {
  try {
    return JSON.stringify(schema);
  } catch {
    return 'unreadable';
  }
}
