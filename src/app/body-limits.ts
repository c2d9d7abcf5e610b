const METADATA_BYTES = 64 * 1024;

/**
 * Returns the maximum body of a request with a message and little else: three times the longest message, because JSON may write a
 * character of two bytes as an escape of six, and 64 KiB more.
 */
export function bodyBytesFor(maxMessageBytes: number): number {
  return 3 * maxMessageBytes + METADATA_BYTES;
}
