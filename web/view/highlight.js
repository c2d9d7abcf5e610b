import highlighter from '../../vendor/highlight/core.js';
import '../../vendor/dompurify.js';
import { el } from '../dom/el.js';

const ALLOWED = { ALLOWED_TAGS: ['span'], ALLOWED_ATTR: ['class'], RETURN_DOM_FRAGMENT: true };

/** Colours the text of an element. */
export async function highlight(code, language) {
  if (!highlighter.getLanguage(language)) {
    const { default: grammar } = await import(`../../vendor/highlight/${language}.js`);
    highlighter.registerLanguage(language, grammar);
  }
  const { value } = highlighter.highlight(code.textContent, { language, ignoreIllegals: true });
  const lines = el('span', { class: 'lines' }, globalThis.DOMPurify.sanitize(value, ALLOWED));
  code.replaceChildren(lines);
}
