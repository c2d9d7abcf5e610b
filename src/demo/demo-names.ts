/** Without capitals and accents, and letter for letter as long as before, so that positions agree. */
export function fold(text: string): string {
  return text
    .replaceAll(/[^ -~]/g, (letter) => letter.normalize('NFD').charAt(0))
    .toLowerCase()
    .replaceAll('’', "'");
}

/** Finds any of the folded names as whole words in a folded text; the longest first, or "Guinea-Bissau" would be "Guinea". */
export function anyName(names: Iterable<string>): RegExp {
  const longestFirst = [...names].sort((one, other) => other.length - one.length);
  const alternatives = longestFirst.map((name) => name.replaceAll(/[.()*+?]/g, String.raw`\$&`)).join('|');
  // No name at all matches nothing, and not the empty text.
  return new RegExp(String.raw`(?<!\p{L})(?:${alternatives || '(?!)'})(?!\p{L})`, 'gu');
}
