import DOMPurify from '../../vendor/dompurify.js';
import { Lexer, Parser, Renderer } from '../../vendor/marked.js';
import { copyButton } from '../dom/copy.button.js';
import { el } from '../dom/el.js';

class PageRenderer extends Renderer {
  // The address of an image in a model's words would be fetched, and could carry what the model knows to a stranger.
  image({ href, text }) {
    return this.link({ href, title: null, tokens: [{ type: 'text', raw: text, text: text || href }] });
  }

  // What a model writes is shown, not run: HTML stays visible as text.
  html({ text }) {
    return text.replace(/[&<>]/g, (character) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[character]);
  }
}

const OPTIONS = { gfm: true, breaks: true, renderer: new PageRenderer() };

const ALLOWED = {
  ALLOWED_TAGS:
    'a p br hr strong em del code pre blockquote ul ol li h1 h2 h3 h4 h5 h6 table thead tbody tr th td input sup sub'.split(
      ' ',
    ),
  ALLOWED_ATTR: ['href', 'title', 'class', 'start', 'align', 'type', 'checked', 'disabled'],
  // Their values are no addresses, and would not pass for one.
  ADD_URI_SAFE_ATTR: ['align', 'start', 'type'],
  ALLOWED_URI_REGEXP: /^(?:https?:|mailto:|#|\/(?!\/))/i,
  RETURN_DOM_FRAGMENT: true,
};

/** The text's blocks: paragraphs, lists, code… `raw` tells whether a block has changed. */
export function splitBlocks(text) {
  return new Lexer(OPTIONS).lex(text).filter(({ type }) => type !== 'space' && type !== 'def');
}

/** The elements of one block, safe to show. */
export function renderBlock(token) {
  if (token.type === 'code') return codeBlock(token);
  const fragment = DOMPurify.sanitize(Parser.parse([token], OPTIONS), ALLOWED);
  for (const link of fragment.querySelectorAll('a')) {
    link.target = '_blank';
    link.rel = 'noopener noreferrer';
  }
  for (const table of fragment.querySelectorAll('table')) {
    const frame = el('div', { class: 'table', tabindex: '0', role: 'group', 'aria-label': 'Table' });
    table.replaceWith(frame);
    frame.append(table);
  }
  for (const pre of fragment.querySelectorAll('pre')) {
    const code = pre.textContent ?? '';
    pre.replaceWith(
      codeBlock({ lang: /language-(\S+)/.exec(pre.firstElementChild?.className ?? '')?.[1], text: code }),
    );
  }
  const block = el('div', { class: 'block' });
  block.append(fragment);
  return block;
}

/** Shows the next state of a code block in the element of the last one; false when that is not possible. */
export function growCodeBlock(element, token) {
  const code = element.querySelector(':scope > pre > code');
  if (token.type !== 'code' || !code || element.dataset.language !== getLanguage(token)) return false;
  const { textContent: shown } = code;
  if (token.text.startsWith(shown) && code.firstChild)
    code.firstChild.appendData(token.text.slice(shown.length));
  else code.textContent = token.text;
  return true;
}

function codeBlock(token) {
  const code = el('code', {}, token.text);
  const language = getLanguage(token);
  return el(
    'div',
    { class: 'block code', 'data-language': language },
    el(
      'div',
      { class: 'code-bar' },
      el('span', {}, language),
      copyButton('Copy code', () => code.textContent),
    ),
    el('pre', { tabindex: '0', 'aria-label': `Code${language && `, ${language}`}` }, code),
  );
}

function getLanguage({ lang }) {
  return lang?.split(/\s/, 1)[0] ?? '';
}
