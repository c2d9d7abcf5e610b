import { createHash, randomBytes } from 'node:crypto';
import {
  defer,
  EMPTY,
  exhaustMap,
  filter,
  interval,
  merge,
  share,
  Subject,
  take,
  catchError,
  type Observable,
} from 'rxjs';
import { z } from 'zod';
import type { Owner } from '../principal.js';
import type { SharedState } from '../shared-state.js';

/** For how long an instance may not know yet what another one ended, in milliseconds; then its streams are cut too. */
export const CHECK_MS = 3_000;

const PREFIX = 'session-end/';
const EVERYBODY = `${PREFIX}everybody`;
const USER_PREFIX = `${PREFIX}user/`;
const SESSION_PREFIX = `${PREFIX}session/`;
const HOUR_MS = 3_600_000;

/** Sessions of one user that are remembered as ended, each for itself. One more ends all that the user has. */
const MAX_ENDED_PER_USER = 100;

/** Entries that are removed in one go. */
const MAX_REMOVALS = 100;

const MarkEnding = z.object({ mark: z.string(), until: z.number() });
const SessionEnding = z.object({ user: z.string(), until: z.number() });

/** The marks by which a session, or a ticket made in it, can be ended. */
export interface Endable {
  readonly principal: Owner;
  /** The marks that stood when it was made. Default none. */
  readonly marks?: readonly string[];
  /** Absent for a ticket that was made without a session. */
  readonly sessionId?: string;
}

interface Snapshot {
  /** The mark that all sessions must have. */
  readonly everybody?: string;
  /** The mark that sessions of this user must have, by the user's key. */
  readonly marks: ReadonlyMap<string, string>;
  /** The user's key of each session that was ended for itself. */
  readonly sessions: ReadonlyMap<string, string>;
}

/**
 * Knows which sessions were ended before their time. A session carries the marks that stood when it was made: its user's and
 * everybody's. Ending all sessions of a user, or of everybody, sets another mark, so that no clocks are compared. One session
 * ends by its id.
 *
 * Every process reads all endings every few seconds while sessions are used, and none per request. Endings are forgotten when
 * nothing is left that they could end.
 */
export class SessionEndings {
  private snapshot: Snapshot = { marks: new Map(), sessions: new Map() };
  private loadedAt = -Infinity;
  private loading: Promise<void> | undefined;
  private readonly ownEndings = new Subject<void>();
  private readonly changes: Observable<unknown>;

  constructor(
    private readonly state: SharedState,
    private readonly options: {
      /** The longest that a session or ticket lives, in milliseconds. */
      readonly tokenTtlMs: number;
      readonly now?: () => number;
      readonly checkMs?: number;
    },
  ) {
    const polls = interval(this.checkMs).pipe(
      // While the storage is away nothing is known; the streams go on until it is back.
      exhaustMap(() => defer(() => this.load()).pipe(catchError(() => EMPTY))),
    );
    this.changes = merge(this.ownEndings, polls).pipe(share());
  }

  /** Returns the marks that a session made now must carry, as the storage has them. */
  async listMarks(owner: Owner): Promise<readonly string[]> {
    const names = [EVERYBODY, USER_PREFIX + userKey(owner)];
    const values = await Promise.all(names.map((name) => this.state.get(name)));
    return values.flatMap((value) => MarkEnding.safeParse(value).data?.mark ?? []);
  }

  /** True if it was ended at least CHECK_MS ago; an ending of this process counts at once. */
  async hasEnded(endable: Endable): Promise<boolean> {
    if (this.now() - this.loadedAt >= this.checkMs) await this.load();
    return this.includes(endable);
  }

  /** Emits once when it is ended, and never completes before. */
  whenEnded(endable: Endable): Observable<unknown> {
    return this.changes.pipe(
      filter(() => this.includes(endable)),
      take(1),
    );
  }

  /** Ends one session; its tickets with it. */
  async endSession(
    { principal, sessionId }: Endable & { readonly sessionId: string },
    expiresAt: number,
  ): Promise<void> {
    await this.load();
    const user = userKey(principal);
    const ended = [...this.snapshot.sessions.values()].filter((each) => each === user).length;
    if (ended >= MAX_ENDED_PER_USER) return this.endAll(principal);
    await this.state.set(SESSION_PREFIX + sessionId, { user, until: expiresAt + HOUR_MS });
    await this.reload();
  }

  /** Ends every session of a user, and every ticket. */
  async endAll(owner: Owner): Promise<void> {
    const user = userKey(owner);
    await this.state.set(USER_PREFIX + user, this.newMark());
    // They have all ended now.
    for (const [id, of] of this.snapshot.sessions)
      if (of === user) await this.state.delete(SESSION_PREFIX + id);
    await this.reload();
  }

  /** Ends every session and every ticket there is. */
  async endForEveryone(): Promise<void> {
    await this.state.set(EVERYBODY, this.newMark());
    await this.reload();
  }

  /** It stands until nothing is left that it ends, also if the settings let things live longer a while ago. */
  private newMark(): z.infer<typeof MarkEnding> {
    const until = this.now() + 2 * this.options.tokenTtlMs + 24 * HOUR_MS;
    return { mark: randomBytes(9).toString('base64url'), until };
  }

  private includes({ principal, marks: carried = [], sessionId }: Endable): boolean {
    const { everybody, marks, sessions } = this.snapshot;
    if (sessionId !== undefined && sessions.has(sessionId)) return true;
    if (everybody !== undefined && !carried.includes(everybody)) return true;
    const wanted = marks.size > 0 ? marks.get(userKey(principal)) : undefined;
    return wanted !== undefined && !carried.includes(wanted);
  }

  /** A read that began before the ending was written may not have it. */
  private async reload(): Promise<void> {
    await this.loading?.catch(() => undefined);
    await this.load();
    this.ownEndings.next();
  }

  private load(): Promise<void> {
    this.loading ??= this.read().finally(() => (this.loading = undefined));
    return this.loading;
  }

  private async read(): Promise<void> {
    const at = this.now();
    const values = await this.state.list(PREFIX);
    let everybody: string | undefined;
    const marks = new Map<string, string>();
    const sessions = new Map<string, string>();
    const over: { readonly name: string; readonly value: unknown }[] = [];
    for (const { name, value } of values) {
      const { data: ending } = z.union([MarkEnding, SessionEnding]).safeParse(value);
      if (!ending) continue;
      if (ending.until < at) over.push({ name, value });
      else if (!('mark' in ending)) sessions.set(name.slice(SESSION_PREFIX.length), ending.user);
      else if (name === EVERYBODY) everybody = ending.mark;
      else marks.set(name.slice(USER_PREFIX.length), ending.mark);
    }
    this.snapshot = { marks, sessions, ...(everybody !== undefined && { everybody }) };
    this.loadedAt = at;
    for (const { name, value } of over.slice(0, MAX_REMOVALS)) await this.state.delete(name, value);
  }

  private now(): number {
    return (this.options.now ?? Date.now)();
  }

  private get checkMs(): number {
    return this.options.checkMs ?? CHECK_MS;
  }
}

/** A name for the storage: users may have any characters in theirs. */
function userKey({ tenant, userId }: Owner): string {
  return createHash('sha256')
    .update(JSON.stringify([tenant, userId]))
    .digest('base64url');
}
