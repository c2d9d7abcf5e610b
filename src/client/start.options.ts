import type { ClientTool } from '../events/client-tool.js';

/** A part of a message: text, or a file. A file is an upload or one of the conversation, or comes with its bytes in base64, or is at a URL. */
export type MessagePart =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'file'; readonly fileId: string }
  | ({ readonly type: 'file'; readonly data: string } & FileName)
  | ({ readonly type: 'file'; readonly url: string } & FileName);

interface FileName {
  /** Counts only for text, whose bytes do not tell it. */
  readonly mediaType?: string;
  readonly name?: string;
}

export interface UploadOptions {
  /** Default: the file's own. */
  readonly name?: string;
  /** Media type. Counts only for text, whose bytes do not tell it. Default: the file's own. */
  readonly type?: string;
  /** Called with the part that was sent, from 0 to 1: as it goes in a browser, and elsewhere at the end. */
  readonly onProgress?: (fraction: number) => void;
  readonly signal?: AbortSignal;
}

export interface StartOptions {
  /** Default: a new thread, or that of `replaces` or `parentRunId`. */
  readonly threadId?: string;
  /** Default: the server's default agent. */
  readonly agent?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Tools that this front end runs: each call is an `input-request` of kind `client-tool`, and is answered by its result. Default: none. */
  readonly clientTools?: readonly ClientTool[];
  /**
   * The run whose message this one edits: it takes the same place in the thread, and both remain, as versions of one turn. A text keeps its files, and
   * parts are all that there is.
   */
  readonly replaces?: string;
  /** The run to go on from; null: from the beginning of the thread. Default: the newest run of the thread. Not together with `replaces`. */
  readonly parentRunId?: string | null;
  /** The same key and message start one run, however often they are sent. Default: a new key for each call. */
  readonly idempotencyKey?: string;
  readonly signal?: AbortSignal;
}

/** Options of a run that asks what another was asked. What is absent is as that run had it. */
export type RegenerateOptions = Omit<StartOptions, 'threadId' | 'replaces' | 'parentRunId'>;
