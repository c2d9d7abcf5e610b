import '../../vendor/dompurify.js';
import { TimedWorker } from '../dom/timed-worker.js';
import { el } from '../dom/el.js';

const ALLOWED = { ALLOWED_TAGS: ['span'], ALLOWED_ATTR: ['class'], RETURN_DOM_FRAGMENT: true };
/** Milliseconds after which code keeps one colour. Common code takes a fiftieth of it, and on a busy machine all of it hardly ever; the expressions of some grammars take seconds for a text made for that. */
const LONGEST_MS = 1_000;
/** Characters of HTML above which it keeps one colour, because the page would be busy with its elements. */
const MOST_HTML = 150_000;

const worker = new TimedWorker(
  () => new Worker(new URL('highlight.worker.js', import.meta.url), { type: 'module' }),
  LONGEST_MS,
);

/** Resolves with a function that colours the text of an element. Rejects if that would take too long. */
export async function highlight(code, language) {
  const text = code.textContent;
  const { html } = await worker.run({ text, language });
  if (html.length > MOST_HTML) throw new Error('The code has too many colours.');
  return () => {
    if (code.textContent !== text) return;
    code.replaceChildren(el('span', { class: 'lines' }, globalThis.DOMPurify.sanitize(html, ALLOWED)));
  };
}
