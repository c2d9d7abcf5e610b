export interface S3ObjectStoreOptions {
  /** Name of the bucket. It has to exist. */
  readonly bucket: string;
  /** URL of the server. Default: Amazon S3 of the region. */
  readonly endpoint?: string;
  /** Default: by the environment and the files of the AWS SDK, or `us-east-1` if there is an `endpoint`. */
  readonly region?: string;
  /** Begins the names of all objects, such as `agents/files/`. Default: nothing. */
  readonly prefix?: string;
  /** True if the bucket is in the path of a URL, and not in its host. Default: true if there is an `endpoint`. */
  readonly pathStyle?: boolean;
  /** Default: by the AWS SDK: its variables and files, or the role of the machine, the container or the service account. */
  readonly credentials?: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  };
  /** Maximum time of a call with all its attempts, in milliseconds. Default 60,000; then it fails with STORAGE_FAILED. */
  readonly patienceMs?: number;
}

export const DEFAULT_PATIENCE_MS = 60_000;
