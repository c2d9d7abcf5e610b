import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PostgresStorage } from '../../../src/storage/postgres/postgres.storage.js';
import { FaultProxy } from '../../../src/testing/fault.proxy.js';
import { toLedgerFile } from '../kill-loop/victim.options.js';
import { VictimServer } from '../kill-loop/victim.server.js';
import { SideEffectLedger } from '../side-effect-ledger.js';
import type { NodeOptions } from './node.options.js';
import { PostgresServer } from './postgres.server.js';

export interface ClusterOptions {
  readonly seed: number;
  /** Default 2. */
  readonly apis?: number;
  /** Default 2. */
  readonly workers?: number;
  readonly node?: Partial<NodeOptions>;
}

const PROGRAM = new URL('./node.process.ts', import.meta.url);

/** API and worker processes, the PostgreSQL that they share, and a balancer in front that knows no sessions. */
export class Cluster {
  private turn = 0;

  private constructor(
    readonly database: PostgresServer,
    readonly apis: readonly VictimServer[],
    readonly workers: readonly VictimServer[],
    private readonly directory: string,
    private proxy: FaultProxy | undefined,
  ) {}

  static async start({ seed, apis = 2, workers = 2, node }: ClusterOptions): Promise<Cluster> {
    const directory = await mkdtemp(join(tmpdir(), 'cluster-'));
    const database = await PostgresServer.start();
    const make = (count: number, first: number, roles: NodeOptions['roles']) =>
      Array.from({ length: count }, (_, index) => {
        const options = { directory, seed, databaseUrl: database.url, roles, ...node, index: first + index };
        return new VictimServer(PROGRAM, options);
      });
    const cluster = new Cluster(
      database,
      make(apis, 0, ['api']),
      make(workers, apis, ['worker']),
      directory,
      undefined,
    );
    try {
      const started = cluster.nodes.map((each) => each.start().listening);
      if (!(await Promise.all(started)).every(Boolean)) throw new Error('A process did not start.');
      cluster.proxy = await FaultProxy.listen({ target: () => cluster.nextApi(), seed });
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  get nodes(): readonly VictimServer[] {
    return [...this.apis, ...this.workers];
  }

  /** Address for people. */
  get origin(): string {
    return this.proxy?.origin ?? '';
  }

  get ledger(): SideEffectLedger {
    return new SideEffectLedger(toLedgerFile(this.directory));
  }

  /** Looks at what is stored, beside the processes. */
  async withStorage<Result>(look: (storage: PostgresStorage) => Promise<Result>): Promise<Result> {
    const storage = new PostgresStorage({ url: this.database.url });
    await storage.open();
    try {
      return await look(storage);
    } finally {
      await storage.close();
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.kill()));
    await this.proxy?.close();
    await this.database.stop();
    await rm(this.directory, { recursive: true, force: true });
  }

  /** One after the other, and past those that are down. */
  private nextApi(): number | undefined {
    for (const _ of this.apis) {
      this.turn += 1;
      const port = this.apis[this.turn % this.apis.length]?.port;
      if (port !== undefined) return port;
    }
    return undefined;
  }
}
