import type { ToAddress } from '../events/file-address.js';
import type { MessageFile } from '../runs/start-request.js';
import { toMessageFile, type GivenFile } from './given-files.js';

/** Addresses of the files of conversations, for protocols that name a file by its URL. */
export class FileAddresses {
  /** @param base URL of the route that serves them, or its path */
  constructor(private readonly base: string) {}

  readonly toAddress: ToAddress = ({ url, fileId }) =>
    url ?? (fileId === undefined ? undefined : `${this.base}/${fileId}`);

  /** Returns the files of a message as a protocol's request has them. @throws AppError REQUEST_INVALID */
  readonly toMessageFiles = (given: readonly GivenFile[]): MessageFile[] =>
    given.map((file) => toMessageFile(file, this.base));
}
