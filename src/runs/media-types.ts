/** The first bytes of files, by media type. `at` is their offset, default 0. */
const SIGNATURES: readonly {
  readonly mediaType: string;
  readonly bytes: string;
  readonly at?: number;
  /** Further bytes at another offset. */
  readonly and?: { readonly bytes: string; readonly at: number };
}[] = [
  { mediaType: 'image/png', bytes: '\x89PNG\r\n\x1a\n' },
  { mediaType: 'image/jpeg', bytes: '\xff\xd8\xff' },
  { mediaType: 'image/gif', bytes: 'GIF87a' },
  { mediaType: 'image/gif', bytes: 'GIF89a' },
  { mediaType: 'image/webp', bytes: 'RIFF', and: { bytes: 'WEBP', at: 8 } },
  { mediaType: 'audio/wav', bytes: 'RIFF', and: { bytes: 'WAVE', at: 8 } },
  { mediaType: 'image/avif', bytes: 'ftyp', at: 4, and: { bytes: 'avif', at: 8 } },
  { mediaType: 'audio/mp4', bytes: 'ftyp', at: 4, and: { bytes: 'M4A', at: 8 } },
  { mediaType: 'video/mp4', bytes: 'ftyp', at: 4 },
  { mediaType: 'video/webm', bytes: '\x1aE\xdf\xa3' },
  { mediaType: 'audio/mpeg', bytes: 'ID3' },
  { mediaType: 'audio/mpeg', bytes: '\xff\xfb' },
  { mediaType: 'audio/ogg', bytes: 'OggS' },
  { mediaType: 'audio/flac', bytes: 'fLaC' },
  { mediaType: 'application/pdf', bytes: '%PDF-' },
];

export const UNKNOWN_MEDIA_TYPE = 'application/octet-stream';

/** Types of text, whose bytes have no signature. */
const TEXTUAL = /^(text\/[\w.+-]+|application\/(json|xml|x-ndjson|yaml))$/;

const MEDIA_TYPE = /^[a-z]+\/[a-z0-9][a-z0-9.+-]{0,100}$/;

/** Returns the type detected from the bytes. A declared type counts only for text, which has no signature. */
export function detectMediaType(data: Uint8Array, declared?: string): string {
  const head = Buffer.from(data.buffer, data.byteOffset, Math.min(data.byteLength, 32)).toString('latin1');
  const has = (bytes: string, at = 0) => head.startsWith(bytes, at);
  const known = SIGNATURES.find(
    ({ bytes, at, and }) => has(bytes, at) && (and === undefined || has(and.bytes, and.at)),
  );
  if (known) return known.mediaType;
  const type = readMediaType(declared);
  return TEXTUAL.test(type) && isText(data) ? type : UNKNOWN_MEDIA_TYPE;
}

/** Returns a declared type without its parameters; `application/octet-stream` if it is not a type. */
export function readMediaType(declared: string | undefined): string {
  const type = declared?.split(';')[0]?.trim().toLowerCase() ?? '';
  return MEDIA_TYPE.test(type) ? type : UNKNOWN_MEDIA_TYPE;
}

/** Types of addresses that do not say their type. */
const BY_ENDING: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  pdf: 'application/pdf',
  wav: 'audio/wav',
  mp3: 'audio/mpeg',
};

/** Returns the type of a file elsewhere: what its address ends with, or what was declared. */
export function guessMediaType(url: string, declared: string | undefined): string {
  const ending = /\.([a-z0-9]+)$/i.exec(new URL(url).pathname)?.[1]?.toLowerCase() ?? '';
  return BY_ENDING[ending] ?? readMediaType(declared);
}

function isText(data: Uint8Array): boolean {
  if (data.includes(0)) return false;
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(data);
    return true;
  } catch {
    return false;
  }
}
