import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { SharedState } from '../shared-state.js';
import { CHECK_MS } from './session-endings.service.js';
import { SigningKey, SigningKeys } from './signing-key.js';

const PREFIX = 'signing-key/';
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/** A name that is not known may be a key that another instance has just made; strangers make up more. */
const RELOAD_AT_MOST_EVERY_MS = 1_000;

/** A new key signs only once every instance has surely read it. */
const ACTIVE_AFTER_MS = 3 * CHECK_MS;

const Stored = z.object({ id: z.string(), secret: z.string().min(43), createdAt: z.number() });

interface KeyRecord {
  readonly number: number;
  readonly createdAt: number;
  readonly key: SigningKey;
}

export interface StoredKeysOptions {
  /** The longest that a token lives, in milliseconds: an old key verifies for that long, and is then removed. */
  readonly tokenTtlMs: number;
  /** The age at which a key is followed by another, in milliseconds. Default 30 days. */
  readonly rotateAfterMs?: number;
  readonly now?: () => number;
}

/**
 * Random keys beside the data: every instance of a storage has the same ones, without any configuration. They are
 * read when the first token is signed or verified, and again every few seconds while tokens are.
 */
export class StoredSigningKeys extends SigningKeys {
  private records: readonly KeyRecord[] = [];
  private loadedAt = -Infinity;
  private loading: Promise<void> | undefined;
  private readonly now: () => number;

  constructor(
    private readonly state: SharedState,
    private readonly options: StoredKeysOptions,
  ) {
    super();
    this.now = options.now ?? Date.now;
  }

  override async current(): Promise<SigningKey> {
    await this.refresh(CHECK_MS);
    const newest = this.records.at(-1);
    if (!newest || this.now() - newest.createdAt >= (this.options.rotateAfterMs ?? 30 * DAY_MS))
      await this.add();
    const active = this.records.filter(({ createdAt }) => this.now() - createdAt >= ACTIVE_AFTER_MS);
    const signing = active.at(-1) ?? this.records[0];
    if (!signing) throw new Error('No signing key is left: it was removed while it was being read.');
    return signing.key;
  }

  override async find(id: string): Promise<SigningKey | undefined> {
    await this.refresh(CHECK_MS);
    if (!this.keyNamed(id)) await this.refresh(RELOAD_AT_MOST_EVERY_MS);
    return this.keyNamed(id);
  }

  override async forgetAll(): Promise<void> {
    await this.load();
    const old = this.records;
    await this.add();
    for (const { number } of old) await this.state.delete(toKeyName(number));
    await this.load();
  }

  private keyNamed(id: string): SigningKey | undefined {
    return this.records.find(({ key }) => key.id === id)?.key;
  }

  /** Of two processes that add one at once, both get the first. */
  private async add(): Promise<void> {
    const number = (this.records.at(-1)?.number ?? 0) + 1;
    const id = randomBytes(8).toString('base64url');
    const secret = randomBytes(32).toString('base64url');
    await this.state.create(toKeyName(number), { id, secret, createdAt: this.now() });
    await this.load();
  }

  private async refresh(olderThanMs: number): Promise<void> {
    if (this.now() - this.loadedAt >= olderThanMs) await this.load();
  }

  private load(): Promise<void> {
    this.loading ??= this.read().finally(() => (this.loading = undefined));
    return this.loading;
  }

  private async read(): Promise<void> {
    const at = this.now();
    const values = await this.state.list(PREFIX);
    const known = new Map(this.records.map((record) => [record.key.id, record]));
    const records = values.flatMap(({ name, value }): KeyRecord[] => {
      const { data } = Stored.safeParse(value);
      if (!data) return [];
      const key = new SigningKey(data.id, Buffer.from(data.secret, 'base64url'));
      return [
        known.get(data.id) ?? { number: Number(name.slice(PREFIX.length)), createdAt: data.createdAt, key },
      ];
    });
    const over = this.selectExpired(records, at);
    this.records = records.filter((record) => !over.includes(record));
    this.loadedAt = at;
    for (const { number } of over) await this.state.delete(toKeyName(number));
  }

  /** A key whose successor has signed for longer than any token lives verifies nothing any more. */
  private selectExpired(records: readonly KeyRecord[], at: number): readonly KeyRecord[] {
    const keepMs = ACTIVE_AFTER_MS + this.options.tokenTtlMs + HOUR_MS;
    return records.filter((_, index) => at - (records[index + 1]?.createdAt ?? at) > keepMs);
  }
}

function toKeyName(number: number): string {
  return `${PREFIX}${String(number).padStart(8, '0')}`;
}
