import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { S3ObjectStoreOptions } from '../../src/storage/s3/s3-object-store.options.js';

interface S3rver {
  configureBuckets(): Promise<unknown>;
  callback(): (request: unknown, response: unknown) => Promise<void>;
}

type NewS3rver = new (options: Readonly<Record<string, unknown>>) => S3rver;

/** The account of the server. */
const CREDENTIALS = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' };

/** Ends the names of the files that have the bytes of objects. */
const OBJECT_SUFFIX = '._S3rver_object';

const XML = { 'content-type': 'application/xml' };
const ACCESS_DENIED = '<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>';

export const BUCKET = 'agent-files';

/** A server with the API of S3, in this process, with one bucket. It checks signatures, and its objects are files in a directory of its own. */
export class S3Server {
  /** HTTP methods that the policy of the bucket refuses to all. */
  readonly denied: Set<string>;

  private constructor(
    private readonly http: Server,
    private readonly directory: string,
    private readonly working: ReadonlySet<Promise<void>>,
    denied: Set<string>,
  ) {
    this.denied = denied;
  }

  static async start(): Promise<S3Server> {
    const directory = await mkdtemp(join(tmpdir(), 's3-'));
    const NewServer = createRequire(import.meta.url)('@20minutes/s3rver') as NewS3rver;
    const app = new NewServer({
      directory,
      silent: true,
      configureBuckets: [{ name: BUCKET }],
    });
    await app.configureBuckets();
    const answer = app.callback();
    const working = new Set<Promise<void>>();
    const denied = new Set<string>();
    const http = createServer((request, response) => {
      if (denied.has(request.method ?? '')) return void response.writeHead(403, XML).end(ACCESS_DENIED);
      const work = answer(request, response).finally(() => working.delete(work));
      working.add(work);
    });
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    return new S3Server(http, directory, working, denied);
  }

  get port(): number {
    return (this.http.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** What a store needs to use it. */
  get options(): S3ObjectStoreOptions {
    return { bucket: BUCKET, endpoint: this.url, credentials: CREDENTIALS };
  }

  /** Returns the names of all objects with this prefix. */
  async names(prefix = ''): Promise<string[]> {
    const bucket = join(this.directory, BUCKET);
    const files = await readdir(bucket, { recursive: true });
    return files
      .filter((file) => file.endsWith(OBJECT_SUFFIX))
      .map((file) => file.slice(0, -OBJECT_SUFFIX.length))
      .filter((name) => name.startsWith(prefix));
  }

  /** Resolves when it is done with all requests that it has. A client may be gone that has sent one. */
  async settle(): Promise<void> {
    while (this.working.size > 0) await Promise.allSettled(this.working);
  }

  async stop(): Promise<void> {
    this.http.closeAllConnections();
    const closed = once(this.http, 'close');
    this.http.close();
    await closed;
    await rm(this.directory, { recursive: true, force: true });
  }
}
