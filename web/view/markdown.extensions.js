const escaped = (text) =>
  text.replace(/[&<>]/g, (each) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[each]);

// Between single dollars, only text that can be neither money nor the variables of a shell: no space inside the dollars, no digit or letter after them,
// and no number with a word behind it.
const INLINE =
  /^(?:\\\((?:[\s\S]+?)\\\)|\\\[(?:[\s\S]+?)\\\]|\$\$(?:[^$]+?)\$\$|\$(?![\s$]|\d[\d.,]*\s+[a-z]{2})(?:\\.|[^$\n\\])*?(?:\\.|[^\s$\\])\$(?![\da-zA-Z]))/;
const BLOCK = /^(?:\\\[[\s\S]+?\\\]|\$\$[\s\S]+?\$\$)[ \t]*(?:\n+|$)/;

/** A formula, kept as source, because Markdown would interpret its backslashes and marks. */
export const formula = {
  name: 'formula',
  level: 'inline',
  start: (text) => text.search(/\\[([]|\$/),
  tokenizer(text) {
    const [raw] = INLINE.exec(text) ?? [];
    return raw && { type: 'formula', raw, text: raw };
  },
  renderer: ({ text }) => `<code class="formula">${escaped(text)}</code>`,
};

/** A formula on lines of its own. */
export const formulaBlock = {
  name: 'formulaBlock',
  level: 'block',
  start: (text) => text.match(/\n(?:\\\[|\$\$)/)?.index,
  tokenizer(text) {
    const [raw] = BLOCK.exec(text) ?? [];
    return raw && { type: 'formulaBlock', raw, text: raw.trim() };
  },
  renderer: ({ text }) => `<p><code class="formula">${escaped(text)}</code></p>`,
};

/** `[^1]` in a sentence. */
export const footnoteMark = {
  name: 'footnoteMark',
  level: 'inline',
  start: (text) => text.search(/\[\^/),
  tokenizer(text) {
    const [raw, name] = /^\[\^([^\]\s]{1,40})\](?!\()/.exec(text) ?? [];
    return raw && { type: 'footnoteMark', raw, text: name };
  },
  renderer: ({ text }) => `<sup>${escaped(text)}</sup>`,
};

/** `[^1]: …`, on a line of its own. */
export const footnoteText = {
  name: 'footnoteText',
  level: 'block',
  start: (text) => text.match(/\n\[\^[^\]\s]{1,40}\]:/)?.index,
  tokenizer(text) {
    const [raw, name, words] = /^\[\^([^\]\s]{1,40})\]:[ \t]*([^\n]*)(?:\n+|$)/.exec(text) ?? [];
    return raw && { type: 'footnoteText', raw, text: name, tokens: this.lexer.inlineTokens(words) };
  },
  renderer({ text, tokens }) {
    return `<p class="footnote"><sup>${escaped(text)}</sup> ${this.parser.parseInline(tokens)}</p>`;
  },
};
