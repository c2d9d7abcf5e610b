// Line comments, because a range of all types would end a block.
// Returns true if one of the ranges, such as image/* or application/pdf, has the media type.
export function isInRanges(ranges: readonly string[], mediaType: string): boolean {
  return ranges.some(
    (range) =>
      range === '*/*' ||
      range === mediaType ||
      (range.endsWith('/*') && mediaType.startsWith(range.slice(0, -1))),
  );
}

/** A media type, or a range of them. */
export const MEDIA_RANGE = /^(\*\/\*|[a-z]+\/(\*|[a-z0-9][a-z0-9.+-]{0,100}))$/;
