import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { nanoid } from 'nanoid';
import { Client } from 'pg';
import { AppError } from '../../errors.js';
import { nameOption } from '../../option-names.js';
import type { HintCarrier, HintListener } from '../shared-wakeups.js';
import { backoffMs } from './backoff.js';
import { storageFailure } from './postgres.errors.js';
import { connectionOptions, type PostgresDatabase } from './postgres.database.js';

/** Time between two pings of a silent connection, and maximum wait for the reply, in milliseconds. */
const PULSE_MS = 5_000;

/** Maximum wait for the first hint from one connection to the other, in milliseconds. After it, hints are taken to be lost. */
const PROOF_MS = 3_000;

/**
 * The one connection that listens for hints, and sends ours. NOTIFY goes out by itself, after the commit that it is about: in the
 * transaction, it would make all committing transactions of the database queue for one lock while each waits for its disk.
 */
export class PostgresHints implements HintCarrier {
  private readonly logger = new Logger(PostgresHints.name);
  private readonly closing = new AbortController();
  private readonly channel: string;
  private listener: HintListener | undefined;
  private client: Client | undefined;
  private living: Promise<void> | undefined;
  private readonly proofs = new Map<string, () => void>();

  constructor(
    private readonly url: string,
    private readonly database: PostgresDatabase,
  ) {
    this.channel = database.schema;
  }

  /** @throws AppError STORAGE_FAILED when it cannot connect, or when what is sent through the database does not arrive here */
  async open(listener: HintListener): Promise<void> {
    this.listener = listener;
    const client = await this.connect().catch((error: unknown) => {
      throw storageFailure(error);
    });
    try {
      await this.prove();
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
    this.living = this.live(client);
  }

  async send(payloads: readonly string[]): Promise<void> {
    await this.client
      ?.query('SELECT pg_notify($1, payload) FROM unnest($2::text[]) AS payload', [
        this.channel,
        [...payloads],
      ])
      .catch(() => undefined);
  }

  async close(): Promise<void> {
    this.closing.abort();
    await this.client?.end().catch(() => undefined);
    await this.living;
  }

  private async connect(): Promise<Client> {
    const client = new Client({ ...connectionOptions(this.url), query_timeout: PULSE_MS });
    // Broken connections are noticed by the pulse below, or by `end`; without a listener an error would end the process.
    client.on('error', () => undefined);
    client.on('notification', ({ payload = '' }) => this.receive(payload));
    await client.connect();
    await client.query(`LISTEN ${this.channel}`);
    this.client = client;
    return client;
  }

  private receive(payload: string): void {
    const prove = this.proofs.get(payload);
    if (prove) prove();
    else this.listener?.received(payload);
  }

  /** A pooler that lends connections per transaction takes our LISTEN and forgets it: nothing would fail, everything be late. */
  private async prove(): Promise<void> {
    const token = `proof:${nanoid()}`;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.proofs.set(token, resolve);
    try {
      await this.database.query('SELECT pg_notify($1, $2)', [this.channel, token]);
      const arrived = await Promise.race([promise.then(() => true), sleep(PROOF_MS, false, { ref: false })]);
      if (!arrived) throw unheard();
    } finally {
      this.proofs.delete(token);
    }
  }

  /** Holds a connection until `close`, whatever becomes of any single one. */
  private async live(first: Client): Promise<void> {
    const { signal } = this.closing;
    let client: Client | undefined = first;
    for (let failures = 0; !signal.aborted; failures += 1) {
      if (client) {
        failures = 0;
        await this.untilBroken(client);
        this.client = undefined;
        await client.end().catch(() => undefined);
        if (!signal.aborted)
          this.logger.warn('The connection that hints come over was lost; connecting again.');
      }
      await sleep(backoffMs(failures), undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      client = await this.connect().catch(() => undefined);
      if (client) this.listener?.missed();
    }
    await this.client?.end().catch(() => undefined);
  }

  private async untilBroken(client: Client): Promise<void> {
    const broken = new AbortController();
    client.once('end', () => broken.abort());
    client.once('error', () => broken.abort());
    const signal = AbortSignal.any([broken.signal, this.closing.signal]);
    while (!signal.aborted) {
      await sleep(PULSE_MS, undefined, { signal, ref: false }).catch(() => undefined);
      if (!signal.aborted) await client.query('SELECT 1').catch(() => broken.abort());
    }
  }
}

function unheard(): AppError {
  return new AppError(
    'STORAGE_FAILED',
    'Hints sent to the database do not arrive: LISTEN does not work over this connection. Behind PgBouncer in transaction mode, ' +
      `set ${nameOption('listenUrl of PostgresStorage')} to the address of the database itself.`,
  );
}
