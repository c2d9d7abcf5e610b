import type { MessageEvent } from '@nestjs/common';

/**
 * One SSE frame: what Nest's `@Sse` wants to see, and the text of it on the wire, made once and shared by all its readers.
 *
 * WHATWG HTML 9.2: CR, LF and CRLF each end a line, so no field may carry one. `type` and `id` are ours; `data` is JSON, which
 * escapes them.
 */
export class Frame implements MessageEvent {
  private encoded: string | undefined;

  /**
   * @param id the cursor of the reader once it has this frame; never absent, because Nest would number the frame itself
   * @param type the event's name
   * @param data JSON
   * @param retry milliseconds that the browser waits before it reconnects
   */
  constructor(
    readonly id: string,
    readonly type: string,
    readonly data: string,
    readonly retry?: number,
  ) {}

  /** LF only, and a blank line at the end. */
  get text(): string {
    return (this.encoded ??= encode(this));
  }
}

/** A comment: readers ignore it, proxies and idle timers do not. */
export const HEARTBEAT = ':\n\n';

function encode({ id, type, data, retry }: Frame): string {
  const pause = retry === undefined ? '' : `retry: ${retry}\n`;
  return `id: ${oneLine(id)}\nevent: ${oneLine(type)}\n${pause}${dataLines(data)}\n`;
}

function dataLines(data: string): string {
  // JSON has no line ends, and most frames are one token.
  if (!LINE_END.test(data)) return `data: ${data}\n`;
  return data
    .split(LINE_END)
    .map((line) => `data: ${line}\n`)
    .join('');
}

const LINE_END = /\r\n|\r|\n/;

function oneLine(field: string): string {
  // NUL too: a browser ignores an id that has one, and would resume from the wrong place.
  return field.replace(/[\r\n\0]/g, '');
}
