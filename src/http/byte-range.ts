/** Bytes from `start` to before `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Returns the part of a body that a `Range` header asks for (RFC 9110, 14.2); `none` if it asks for one that there is not; undefined for the whole body:
 * without a header, and for anything but one range of bytes, which a server may ignore.
 *
 * @param size of the whole body, in bytes
 */
export function parseRange(header: string | undefined, size: number): ByteRange | 'none' | undefined {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? [];
  if (first === '' && last === '') return undefined;
  if (first === '') return toPart(size - Math.min(Number(last), size), size);
  if (last !== '' && Number(last) < Number(first)) return undefined;
  return toPart(Number(first), last === '' ? size : Math.min(Number(last) + 1, size));
}

function toPart(start: number, end: number): ByteRange | 'none' {
  return start < end ? { start, end } : 'none';
}
