// What a person cannot see and a machine reads: controls of the direction of text, of no width, tags. Not the joiners of emoji and of
// Persian and Indian words, nor line breaks and tabs.
const HIDDEN =
  // oxlint-disable-next-line no-control-regex -- that is what it is about
  /[\p{Bidi_Control}\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u115f\u1160\u180e\u200b\u2028\u2029\u2060-\u2065\u206a-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

/** True if there is something in it that looks like nothing, or makes other words look different. */
export function hasHidden(text) {
  return text.search(HIDDEN) !== -1;
}

/** Words with a code in the place of each hidden character: `⟨U+202E⟩`. */
export function withCodes(text) {
  return text.replace(
    HIDDEN,
    (character) => `⟨U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, '0')}⟩`,
  );
}

/** A value as JSON in which each hidden character is an escape, so that it reads as it is and means the same. */
export function plainJson(value) {
  return JSON.stringify(value, null, 2).replace(HIDDEN, (character) =>
    Array.from({ length: character.length }, (_, at) => character.charCodeAt(at))
      .map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`)
      .join(''),
  );
}
