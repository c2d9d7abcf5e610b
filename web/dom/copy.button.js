import { el, set } from './el.js';
import { icon } from './icons.js';

const THANKS_MS = 1600;

/** Returns a button that copies `text()` and confirms it. Programs that take formatted text get `html()`, if given. */
export function copyButton(label, text, html) {
  const button = el(
    'button',
    { type: 'button', class: 'quiet', 'aria-label': label, title: label },
    icon('copy'),
  );
  button.addEventListener('click', async () => {
    const copied = await copy(text(), html?.());
    button.replaceChildren(icon(copied ? 'check' : 'cross'));
    set(button, 'aria-label', copied ? 'Copied' : 'Could not copy');
    setTimeout(() => {
      button.replaceChildren(icon('copy'));
      set(button, 'aria-label', label);
    }, THANKS_MS);
  });
  return button;
}

async function copy(text, html) {
  try {
    if (html) {
      const toBlob = (content, type) => new Blob([content], { type });
      const kinds = { 'text/plain': toBlob(text, 'text/plain'), 'text/html': toBlob(html, 'text/html') };
      await navigator.clipboard.write([new ClipboardItem(kinds)]);
    } else await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Browsers keep the clipboard from pages that came by plain HTTP; the old way still works there.
    return copyBySelection(text);
  }
}

function copyBySelection(text) {
  const field = el('textarea', { class: 'unseen', 'aria-hidden': 'true' });
  field.value = text;
  const focused = document.activeElement;
  document.body.append(field);
  field.select();
  const copied = document.execCommand('copy');
  field.remove();
  focused?.focus();
  return copied;
}
