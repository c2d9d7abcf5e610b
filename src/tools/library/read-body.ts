/** The part of a body that was read, and whether there was more. */
export interface ReadBody {
  readonly bytes: Uint8Array;
  readonly truncated: boolean;
}

/** Reads at most `limit` bytes and then hangs up, whatever length the other side announced. Counts what decompression gives. */
export async function readBody(
  body: AsyncIterable<Uint8Array> | null | undefined,
  limit: number,
): Promise<ReadBody> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  // Leaving the loop early cancels the stream.
  for await (const chunk of body ?? []) {
    chunks.push(chunk);
    size += chunk.byteLength;
    if (size > limit) break;
  }
  return { bytes: Buffer.concat(chunks).subarray(0, limit), truncated: size > limit };
}
