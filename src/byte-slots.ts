/** Gives the bytes back. A second call changes nothing. */
export type ReleaseBytes = () => void;

interface Waiting {
  readonly bytes: number;
  readonly take: (release: ReleaseBytes) => void;
}

/** Bytes that may be held at a time. Those that wait get them in the order in which they came. */
export class ByteSlots {
  private heldBytes = 0;
  private readonly waiting: Waiting[] = [];

  constructor(private readonly maxBytes: number) {}

  /**
   * Resolves once so many bytes are free: at once for none. More than there are at all count as all.
   *
   * @throws the reason of `signal`, at once, when that is aborted
   */
  async enter(bytes: number, signal?: AbortSignal): Promise<ReleaseBytes> {
    signal?.throwIfAborted();
    if (bytes === 0) return () => {};
    const { promise, resolve, reject } = Promise.withResolvers<ReleaseBytes>();
    const waiting = { bytes: Math.min(bytes, this.maxBytes), take: resolve };
    this.waiting.push(waiting);
    const leave = () => {
      const index = this.waiting.indexOf(waiting);
      if (index === -1) return;
      this.waiting.splice(index, 1);
      reject(signal?.reason);
      this.grant();
    };
    signal?.addEventListener('abort', leave, { once: true });
    this.grant();
    try {
      return await promise;
    } finally {
      signal?.removeEventListener('abort', leave);
    }
  }

  private grant(): void {
    for (let next = this.waiting[0]; next; next = this.waiting[0]) {
      if (this.heldBytes + next.bytes > this.maxBytes) return;
      this.waiting.shift();
      next.take(this.hold(next.bytes));
    }
  }

  private hold(bytes: number): ReleaseBytes {
    let rest = bytes;
    this.heldBytes += bytes;
    return () => {
      this.heldBytes -= rest;
      rest = 0;
      this.grant();
    };
  }
}
