/** A file of a conversation. Its bytes are never in the log: they have an address elsewhere, or an id on this server. */
export interface FileFacts {
  /** Media type, such as `image/png`; `application/octet-stream` if it is unknown. */
  readonly mediaType: string;
  readonly name?: string;
  /** Its address on another server: http or https. */
  readonly url?: string;
  /** Its id on this server, which stores the bytes. */
  readonly fileId?: string;
  /** Its size in bytes, if that is known. */
  readonly bytes?: number;
  /** The reason why it is missing. Then it has neither an address nor an id. */
  readonly omitted?: FileOmission;
}

/** A file of a person's message. */
export interface PlacedFile extends FileFacts {
  /** Its place in the text: the number of UTF-16 code units before it. Default 0: before all text. */
  readonly at?: number;
}

/**
 * Reason why a file is missing: it is larger than a file may be (`too-large`), the owner's files would take too much space (`no-room`), it cannot be
 * read (`unreadable`), or only its author can reach it (`unreachable`).
 */
export type FileOmission = 'too-large' | 'no-room' | 'unreadable' | 'unreachable';

/** A source that an answer cites. */
export interface SourceFacts {
  /** Its address: http or https. */
  readonly url?: string;
  readonly title?: string;
  /** The cited words. */
  readonly quote?: string;
}

/** A file as its author gives it, before it is stored. */
export interface NewFile {
  readonly mediaType?: string | undefined;
  readonly name?: string | undefined;
  /** An address, which may contain the bytes (`data:`). */
  readonly url?: string | undefined;
  /** The bytes, or their base64. */
  readonly data?: Uint8Array | string | undefined;
}

/** A stored file with its bytes. */
export interface ReadableFile {
  readonly mediaType: string;
  readonly name?: string;
  readonly data: Uint8Array;
}

/** Returns the file with this id; undefined if there is none. */
export type ReadFile = (fileId: string) => Promise<ReadableFile | undefined>;

/** Stores the bytes of a file. Returns its facts for the log. */
export type KeepFile = (file: NewFile) => Promise<FileFacts>;

/** Returns the sentence that people read in place of a missing file. */
export function describeOmission(omitted: FileOmission): string {
  switch (omitted) {
    case 'too-large':
      return 'The file is too large to be kept.';
    case 'no-room':
      return 'There is no room left for your files.';
    case 'unreadable':
      return 'The file cannot be read.';
    case 'unreachable':
      return 'The file is at an address that cannot be reached from here.';
    default:
      omitted satisfies never;
      return 'The file is missing.';
  }
}
