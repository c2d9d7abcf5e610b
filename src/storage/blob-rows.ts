import type { BlobFacts, StoredBlob } from '../runs/blob.store.js';
import type { RowOf } from './objects/blob-row.store.js';

/** A blob, as a row of its table. */
export interface BlobRow {
  readonly id: string;
  readonly media_type: string;
  readonly name: string | null;
  readonly data: Uint8Array;
  /** Name of the object that has the bytes; null if the row has them. */
  readonly object: string | null;
  readonly bytes: number;
}

export function toBlob({ id, media_type: mediaType, name, data, object, bytes }: BlobRow): RowOf<StoredBlob> {
  const facts = { id, mediaType, ...(name !== null && { name }) };
  return object === null ? { ...facts, data } : { ...facts, object, bytes };
}

/** The same without its bytes. */
export interface BlobFactsRow extends Omit<BlobRow, 'data' | 'object'> {}

export function toBlobFacts({ id, media_type: mediaType, name, bytes }: BlobFactsRow): BlobFacts {
  return { id, mediaType, ...(name !== null && { name }), bytes };
}
