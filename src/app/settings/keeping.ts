import { DEFAULT_STORE } from '../../agents/agent-store.js';
import { DEFAULT_RETENTION } from '../../runs/retention.service.js';
import { DEFAULT_STATES_MAX_BYTES } from '../../storage/checkpoint-keeping.js';
import { DEFAULT_POOL_SIZE } from '../../storage/postgres/postgres-storage.options.js';
import { DEFAULT_SYNCHRONOUS } from '../../storage/sqlite/sqlite.storage.js';
import {
  boolean,
  days,
  format,
  integer,
  mebibytes,
  minutes,
  parseChoice,
  path,
  serverUrl,
  text,
  webUrl,
  parseChoices,
} from './formats.js';
import { part, setting } from './setting.js';

const DATABASE = { DATABASE_URL: 'postgres://app:secret@db.example.com/agents' };

const FILES_S3 = { FILES_S3_BUCKET: 'agent-files' };

const choice = parseChoice('normal', 'full');
const synchronous = format(
  (text) => (choice.parse(text) === 'full' ? 'FULL' : 'NORMAL'),
  (value) => value.toLowerCase(),
);

export const KEEPING = {
  title: 'Storage',
  settings: {
    DATA_DIR: setting('storage.sqlite.directory', {
      format: path(),
      default: path().parse('./data'),
      example: './elsewhere',
      effect: 'The directory of the embedded database. Only one process at a time can use it.',
      details:
        'It holds runs, logs, threads and checkpoints. If it is missing, it is created for the user of the process only (0700), with files of mode 0600. If other users can read it, a warning is logged. Use a local disk: NFS, SMB and AFS are refused, and FUSE, Ceph and 9P cause a warning.',
    }),
    SQLITE_SYNCHRONOUS: setting('storage.sqlite.synchronous', {
      format: synchronous,
      default: DEFAULT_SYNCHRONOUS,
      example: 'full',
      effect: 'With `normal`, committed events survive a crash of the process; with `full`, a power cut too.',
      details: '`full` waits for the disk at each commit.',
      isAboutSecurity: false,
    }),
    COMPACT_AFTER_MINUTES: setting('chat.retention.compactAfterMs', {
      format: minutes(0, 525_600),
      default: DEFAULT_RETENTION.compactAfterMs,
      example: '5',
      effect: 'Compacts the log of a run this long after its end, to the same text in fewer events.',
      details:
        'Text that the agent replaced and the progress of tools are removed, and the deltas of a part are joined. Views do not change. A reader whose cursor is inside such a log gets `reset` and starts again.',
      isAboutSecurity: false,
    }),
    RETENTION_DAYS: setting('chat.retention.maxAgeMs', {
      format: days(1, 36_500),
      unset: 'for ever',
      example: '90',
      effect: 'Removes a thread this many days after its last change.',
      details: 'Its runs, logs and checkpoints are removed with it.',
      isAboutSecurity: false,
    }),
    RETENTION_MAX_MB: setting('chat.retention.maxBytes', {
      format: mebibytes(1, 100_000_000),
      unset: 'no limit',
      example: '2048',
      effect: 'While all data together takes more MiB than this, removes data of the callers with the most.',
      details:
        'Each time, the caller with the most data loses an upload that no message has named, or else the thread that has been unchanged longest. So a caller with less than an equal share loses nothing. A thread with an active run is never removed. The file shrinks by a MiB at a time.',
      isAboutSecurity: false,
    }),
    RETENTION_MAX_MB_PER_USER: setting('chat.retention.maxBytesPerOwner', {
      format: mebibytes(1, 100_000_000),
      unset: 'no limit',
      example: '256',
      effect:
        'If the messages, logs and files of a caller take more MiB than this, removes uploads of that caller that no message has named, then threads.',
      details:
        'Threads that have been unchanged longest go first. The memory of agents is removed with them, and is not counted.',
      isAboutSecurity: false,
    }),
    THREAD_STATES_MAX_MB: setting('storage.statesMaxBytes', {
      format: mebibytes(1, 100_000),
      default: DEFAULT_STATES_MAX_BYTES,
      example: '64',
      effect: 'If the states of a thread take more MiB than this, removes those after its oldest runs.',
      details:
        'A thread can be continued after each of its newest 100 runs whose state is kept, and always after the newest. See [branches](../guides/branches.md#limits).',
      isAboutSecurity: false,
    }),
    STORE_SCOPE: setting('chat.store.scope', {
      format: parseChoice('user', 'tenant'),
      default: DEFAULT_STORE.scope,
      example: 'tenant',
      effect:
        'Readers of what graphs put into their store: the `user` whose run has put it, or all users of the `tenant`.',
      details:
        'With `tenant`, one user can write what another user’s agent reads and follows. No graph reaches the items of another tenant, whatever namespace it names. After a change, graphs no longer see what they have put before. See [memory](../guides/memory.md).',
    }),
    STORE_TTL_MINUTES: part('chat.store.ttlMs', {
      format: minutes(1, 52_560_000),
      unset: 'that of langgraph.json, or for ever',
      example: '43200',
      effect: 'Removes an item of the store this many minutes after it was last written or read.',
      details: 'A `put` with a `ttl` of its own is not affected. Expired items are removed once a minute.',
      isAboutSecurity: false,
    }),
    STORE_MAX_MB: setting('chat.store.maxBytes', {
      format: mebibytes(1, 2_000),
      default: DEFAULT_STORE.maxBytes,
      example: '8',
      effect:
        'Maximum MiB of all items of one user in the store, or of one tenant with `STORE_SCOPE=tenant`.',
      details:
        'A `put` beyond it fails with `RUN_LIMIT`, as does an item above 256 KiB, and an item after 10,000 others. Vectors count. Retention does not remove items to make room, but counts them in `RETENTION_MAX_MB`.',
    }),
    DATABASE_URL: setting('storage.postgres.url', {
      format: serverUrl('postgres', 'postgresql'),
      unset: 'the embedded database',
      example: DATABASE.DATABASE_URL,
      effect:
        'Stores everything in this PostgreSQL (14 or newer) instead of `DATA_DIR`. Any number of instances can share it.',
      details:
        'Every instance serves every run, and takes over the runs of an instance that dies. At start, tables are created and migrated in the schema `agent_stream`. If the app lacks the rights for that, run `npm run migrate` as a user who has them. TLS: `?sslmode=verify-full`, with `&sslrootcert=/path/to/ca.pem` (or `NODE_EXTRA_CA_CERTS`) for an authority of your own or of your provider; `require` also checks the certificate; `no-verify` encrypts without checking it. See [scaling out](../production/scale-out.md).',
      isSecret: true,
      isAboutSecurity: false,
    }),
    DATABASE_LISTEN_URL: setting('storage.postgres.listenUrl', {
      format: serverUrl('postgres', 'postgresql'),
      unset: '`DATABASE_URL`',
      example: 'postgres://app:secret@db.example.com:5432/agents',
      needs: DATABASE,
      effect:
        'The address of the database itself, if `DATABASE_URL` leads through PgBouncer in transaction mode.',
      details:
        'One connection there listens for wakeups. If it is missing in such a setup, the app does not start.',
      isSecret: true,
      isAboutSecurity: false,
    }),
    DATABASE_POOL_SIZE: setting('storage.postgres.poolSize', {
      format: integer(2, 1_000),
      default: DEFAULT_POOL_SIZE,
      example: '20',
      effect:
        'Database connections of this process for requests; two more are always open, to write and to listen.',
      details:
        'They are opened when needed. The connections of all instances together must not exceed `max_connections` of the database.',
      isAboutSecurity: false,
    }),
    REDIS_URL: setting('storage.redisUrl', {
      format: serverUrl('redis', 'rediss'),
      unset: 'PostgreSQL',
      example: 'redis://cache.example.com',
      needs: DATABASE,
      effect:
        'Uses this Redis instead of PostgreSQL to wake up other instances, and to count starts and open streams.',
      details:
        'It holds no data that can be lost. While it is away, wakeups come seconds late, and each instance counts for itself.',
      isSecret: true,
      isAboutSecurity: false,
    }),
    FILES_S3_BUCKET: setting('storage.s3.bucket', {
      format: text(),
      unset: 'the database',
      example: FILES_S3.FILES_S3_BUCKET,
      effect:
        'Stores the bytes of files in this bucket of an object store with the API of S3, in place of the database.',
      details:
        'Needs `npm i @aws-sdk/client-s3`, whose variables and files say which credentials are used. The process has to be allowed `s3:GetObject`, `s3:PutObject`, `s3:DeleteObject` and `s3:ListBucket`. Files that are in the database stay there. Set it once all instances have this version. See [files](../guides/files.md#in-an-object-store).',
      isAboutSecurity: false,
    }),
    FILES_S3_ENDPOINT: setting('storage.s3.endpoint', {
      format: webUrl(),
      unset: 'Amazon S3',
      example: 'https://minio.example.com',
      needs: FILES_S3,
      effect: 'The URL of the object store.',
      isAboutSecurity: false,
    }),
    FILES_S3_REGION: setting('storage.s3.region', {
      format: text(),
      unset: '`AWS_REGION`, or `us-east-1` with `FILES_S3_ENDPOINT`',
      example: 'eu-central-1',
      needs: FILES_S3,
      effect: 'The region of the bucket.',
      isAboutSecurity: false,
    }),
    FILES_S3_PREFIX: setting('storage.s3.prefix', {
      format: text(),
      unset: 'nothing',
      example: 'agents/files/',
      needs: FILES_S3,
      effect: 'Begins the names of all objects. Two applications may share a bucket.',
      isAboutSecurity: false,
    }),
    FILES_S3_PATH_STYLE: setting('storage.s3.pathStyle', {
      format: boolean(),
      unset: '`true` with `FILES_S3_ENDPOINT`, `false` without',
      example: 'true',
      needs: FILES_S3,
      effect: 'With `true`, the bucket is in the path of URLs; with `false`, it is in their host name.',
      isAboutSecurity: false,
    }),
    ROLES: setting('roles', {
      format: parseChoices('api', 'worker'),
      default: ['api', 'worker'],
      example: 'worker',
      needs: DATABASE,
      effect: 'The roles of this process: `api` answers requests, `worker` executes runs.',
      details: '`worker` alone answers only `/health`. A process with one role needs `DATABASE_URL`.',
    }),
  },
} as const;
