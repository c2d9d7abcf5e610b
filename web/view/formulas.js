import '../../vendor/dompurify.js';

const ALLOWED = {
  USE_PROFILES: { mathMl: true },
  FORBID_TAGS: ['maction', 'mglyph'],
  FORBID_ATTR: ['style', 'href', 'id'],
  RETURN_DOM_FRAGMENT: true,
};
/** Macros that a formula brings multiply its length with each use, which takes seconds before any bound on their number is reached. */
const DEFINES = /\\(?:[egx]?def|(?:future)?let|(?:new|renew|provide)command|global|long)(?![A-Za-z])/;
/** Characters of MathML above which a formula stays as it was written. */
const MOST_OUTPUT = 100_000;
/** Bounds for what the macros of the renderer itself may do. */
const LIMITS = { maxExpand: 200, maxSize: [20, 100], strict: false, trust: false };

const temml = await load(new URL('../../vendor/temml.js', import.meta.url).href);

/** Puts a formula in the place of its source, unless that would take too long. Throws if it is none. */
export function typeset(code) {
  const { source, isDisplayed } = readFormula(code.textContent);
  if (DEFINES.test(source)) return;
  const html = temml.renderToString(source, { ...LIMITS, displayMode: isDisplayed, throwOnError: true });
  if (html.length > MOST_OUTPUT) return;
  // The page's policy forbids styles, already while they are parsed. In text, the quotes are escaped.
  const unstyled = html.replaceAll(/ style="[^"]*"/g, '');
  const math = globalThis.DOMPurify.sanitize(unstyled, ALLOWED).querySelector('math');
  if (!math) return;
  code.replaceWith(math);
}

/** Returns the source between the marks of a formula. */
function readFormula(text) {
  const isDisplayed = /^(?:\$\$|\\\[)/.test(text);
  const marks = isDisplayed || text.startsWith('\\') ? 2 : 1;
  return { source: text.slice(marks, -marks), isDisplayed };
}

/** Loads a script that makes its global `temml`: its minified file is no module. */
function load(address) {
  const { promise, resolve, reject } = Promise.withResolvers();
  const script = document.createElement('script');
  script.src = address;
  script.addEventListener('load', () => resolve(globalThis.temml));
  script.addEventListener('error', () => reject(new Error('The formulas could not be loaded.')));
  document.head.append(script);
  return promise;
}
