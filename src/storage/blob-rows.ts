import type { BlobFacts, StoredBlob } from '../runs/blob.store.js';

/** A blob, as a row of its table. */
export interface BlobRow {
  readonly id: string;
  readonly media_type: string;
  readonly name: string | null;
  readonly data: Uint8Array;
}

export function toBlob({ id, media_type: mediaType, name, data }: BlobRow): StoredBlob {
  return { id, mediaType, ...(name !== null && { name }), data };
}

/** The same without its bytes. */
export interface BlobFactsRow extends Omit<BlobRow, 'data'> {
  readonly bytes: number;
}

export function toBlobFacts({ id, media_type: mediaType, name, bytes }: BlobFactsRow): BlobFacts {
  return { id, mediaType, ...(name !== null && { name }), bytes };
}
