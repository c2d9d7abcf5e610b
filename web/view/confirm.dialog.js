import { el } from '../dom/el.js';

/** Asks before something is done that cannot be undone. Resolves to true when it is wanted. */
export function confirmed({ title, text, action }) {
  const { promise, resolve } = Promise.withResolvers();
  const dialog = el(
    'dialog',
    {
      class: 'dialog',
      'aria-labelledby': 'confirm-title',
      'aria-describedby': 'confirm-text',
      'data-testid': 'confirm',
    },
    el(
      'form',
      { method: 'dialog' },
      el('h2', { id: 'confirm-title' }, title),
      el('p', { id: 'confirm-text' }, text),
      el(
        'div',
        { class: 'dialog-actions' },
        el('button', { value: 'no', autofocus: true }, 'Cancel'),
        el('button', { value: 'yes', class: 'danger' }, action),
      ),
    ),
  );
  dialog.addEventListener('close', () => {
    dialog.remove();
    resolve(dialog.returnValue === 'yes');
  });
  document.body.append(dialog);
  dialog.showModal();
  return promise;
}
