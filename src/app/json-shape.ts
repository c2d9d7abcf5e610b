/** The measures of a JSON text that decide what it costs to parse and to walk. */
export interface JsonShape {
  /** Maximum nesting of its arrays and objects. Code that walks a parsed value calls itself once per level. */
  readonly depth: number;
  /** About how many values it holds: members, items, arrays and objects. */
  readonly values: number;
}

/**
 * Measures a JSON text without parsing it: a few kilobytes of `[` would exhaust the stack, and a megabyte of `{},` takes a tenth of
 * a second to parse. Malformed text gives some numbers, never an error.
 */
export function jsonShape(json: Uint8Array): JsonShape {
  let depth = 0;
  let deepest = 0;
  let values = 0;
  let inString = false;
  for (let index = 0; index < json.length; index++) {
    const byte = json[index];
    if (inString) {
      if (byte === BACKSLASH) index++;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) {
      inString = true;
    } else if (byte === COMMA) {
      values++;
    } else if (byte === OPEN_BRACKET || byte === OPEN_BRACE) {
      values++;
      deepest = Math.max(deepest, ++depth);
    } else if (byte === CLOSE_BRACKET || byte === CLOSE_BRACE) {
      depth--;
    }
  }
  return { depth: deepest, values };
}

// All of them are ASCII, so that no byte of a longer UTF-8 character is mistaken for one.
const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
