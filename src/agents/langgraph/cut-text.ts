/** The note at the end of a text that was cut, at its longest. */
const NOTE_MAX_BYTES = 100;
const IS_CUT = /\n\n\[Cut: these are the first \d+ of \d+ characters\.\]$/;

/**
 * Returns the text as far as `maxBytes` of UTF-8 go, cut between two characters, and then a note that says so. Shorter texts, and those that were cut
 * before, come back as they are.
 */
export function cutText(text: string, maxBytes: number): string {
  // No UTF-16 unit takes more than three bytes.
  if (text.length * 3 <= maxBytes) return text;
  const bytes = Buffer.byteLength(text);
  if (bytes <= maxBytes || (bytes <= maxBytes + NOTE_MAX_BYTES && IS_CUT.test(text))) return text;
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(maxBytes));
  return `${text.slice(0, read)}\n\n[Cut: these are the first ${read} of ${text.length} characters.]`;
}
