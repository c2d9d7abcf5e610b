import { el, set } from './el.js';
import { icon } from './icons.js';

const THANKS_MS = 1600;

/** A button that copies what `text()` gives, and says that it did. */
export function copyButton(label, text) {
  const button = el(
    'button',
    { type: 'button', class: 'quiet', 'aria-label': label, title: label },
    icon('copy'),
  );
  button.addEventListener('click', async () => {
    const copied = await copy(text());
    button.replaceChildren(icon(copied ? 'check' : 'cross'));
    set(button, 'aria-label', copied ? 'Copied' : 'Could not copy');
    setTimeout(() => {
      button.replaceChildren(icon('copy'));
      set(button, 'aria-label', label);
    }, THANKS_MS);
  });
  return button;
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
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
