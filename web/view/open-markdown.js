/**
 * Markdown that is still being written, with what it begins and has not ended yet either closed or kept back, so that marks
 * do not show for a moment and then turn into something else. Pure. Text inside an open code fence is left as it is.
 */
export function mendOpenMarkdown(text) {
  const start = text.lastIndexOf('\n\n') + 1;
  if (countMatches(text, /^ {0,3}(```|~~~)/gm) % 2 === 1) return text.replace(/\n`{1,2}$/, '');
  return text.slice(0, start) + mendParagraph(text.slice(start));
}

function mendParagraph(paragraph) {
  let text = paragraph
    // `[label](https://exam`: the label will do until the address is whole.
    .replace(/!?\[([^\][]*)\]\([^)\s]*$/, '$1')
    .replace(/!?\[([^\][\n]*)$/, '$1')
    // Marks at the very end open or close something: which, the next words tell.
    .replace(/(^|[^\\])[*_`~#]+$/, '$1')
    .replace(/\n[ \t]*(?:[-+>]|\d+[.)]?)?[ \t]*$/, '\n');
  if (countMatches(text, /`/g) % 2 === 1) text += '`';
  if (countMatches(text, /\*\*/g) % 2 === 1) text = `${text.trimEnd()}**`;
  return text;
}

function countMatches(text, pattern) {
  return text.match(pattern)?.length ?? 0;
}
