import type { FileFacts } from './message-part.js';

/** Returns the address of a file; undefined if there is none. */
export type ToAddress = (file: Pick<FileFacts, 'url' | 'fileId'>) => string | undefined;

/** Returns the address of a file that another server stores. */
export const toAddressElsewhere: ToAddress = ({ url }) => url;
