import highlighter from '../../vendor/highlight/core.js';

/** Colours one text at a time: takes `{ text, language }`; sends `{ begins: true }`, and then `{ html }` or `{ failed: true }`. */
addEventListener('message', async ({ data: { text, language } }) => {
  try {
    if (!highlighter.getLanguage(language)) {
      const { default: grammar } = await import(`../../vendor/highlight/${language}.js`);
      highlighter.registerLanguage(language, grammar);
    }
    // Makes the grammar's expressions, which the time of a text should not pay for.
    highlighter.highlight('', { language });
    postMessage({ begins: true });
    postMessage({ html: highlighter.highlight(text, { language, ignoreIllegals: true }).value });
  } catch {
    postMessage({ failed: true });
  }
});
