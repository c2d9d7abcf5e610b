import { describeOmission, type FileFacts, type SourceFacts } from '../../events/message-part.js';
import type { ToAddress } from '../../events/file-address.js';

/** A source as OpenAI's clients know it: a page that a text cites. Its place in the text is unknown, so it is the end. */
export interface UrlCitation {
  readonly url: string;
  readonly title: string;
  readonly start_index: number;
  readonly end_index: number;
}

/** Returns a file as Markdown, because the protocol has no part for a file in an answer. */
export function toFileText(file: FileFacts, toAddress: ToAddress): string {
  const { mediaType, name = mediaType, omitted } = file;
  const label = name.replaceAll(/[[\]\\\n]/g, ' ');
  const url = toAddress(file);
  if (url === undefined) return `[${label}: ${describeOmission(omitted ?? 'unreachable')}]`;
  const link = `[${label}](<${url.replaceAll(/[<>\n]/g, encodeURIComponent)}>)`;
  return mediaType.startsWith('image/') ? `!${link}` : link;
}

/** Returns the annotation for a source; undefined without an address. */
export function toCitation({ url, title }: SourceFacts, at: number): UrlCitation | undefined {
  return url === undefined ? undefined : { url, title: title ?? url, start_index: at, end_index: at };
}
