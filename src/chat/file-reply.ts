import { StreamableFile } from '@nestjs/common';
import { parseRange } from '../http/byte-range.js';
import type { StoredBlob } from '../runs/blob.store.js';

/** A reply with a file, or with the part of it that was asked for. */
export interface FileReply {
  readonly status: 200 | 206 | 416;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: StreamableFile;
}

/** @param range the header `Range` of the request */
export function toFileReply(blob: StoredBlob, range: string | undefined): FileReply {
  const { data } = blob;
  const size = data.byteLength;
  const type =
    isShown(blob) || blob.mediaType === 'application/pdf' ? blob.mediaType : 'application/octet-stream';
  const toBody = (bytes: Uint8Array) =>
    new StreamableFile(bytes, { type, disposition: toDisposition(blob), length: bytes.byteLength });
  const part = parseRange(range, size);
  const headers = { 'Accept-Ranges': 'bytes' };
  if (part === undefined) return { status: 200, headers, body: toBody(data) };
  if (part === 'none')
    return {
      status: 416,
      headers: { ...headers, 'Content-Range': `bytes */${size}` },
      body: toBody(new Uint8Array()),
    };
  const { start, end } = part;
  return {
    status: 206,
    headers: { ...headers, 'Content-Range': `bytes ${start}-${end - 1}/${size}` },
    body: toBody(data.subarray(start, end)),
  };
}

/** True for types that a browser shows without running anything. */
function isShown({ mediaType }: StoredBlob): boolean {
  return /^(image\/(png|jpeg|gif|webp|avif)|audio\/[\w-]+|video\/[\w-]+)$/.test(mediaType);
}

function toDisposition(blob: StoredBlob): string {
  const disposition = isShown(blob) ? 'inline' : 'attachment';
  const { name } = blob;
  if (name === undefined) return disposition;
  const encoded = encodeURIComponent(name).replaceAll(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16)}`,
  );
  return `${disposition}; filename*=UTF-8''${encoded}`;
}
