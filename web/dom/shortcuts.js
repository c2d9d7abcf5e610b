import { isAltShortcut, isComposing, isInField } from './keys.js';

/** Listens for the keys of the page. @param actions `isBusy()`, `stop()`, `startNew()`; `focus()`: the composer */
export function listenForShortcuts({ isBusy, stop, startNew, focus }) {
  addEventListener('keydown', (event) => {
    if (document.querySelector('dialog[open]')) return;
    if (isComposing(event)) return;
    const isPlain = !event.altKey && !event.ctrlKey && !event.metaKey;
    if (event.key === 'Escape' && isBusy()) stop();
    else if (event.code === 'KeyN' && isAltShortcut(event)) startNew();
    else if (event.key === '/' && isPlain && !isInField(event)) focus();
    else return;
    event.preventDefault();
  });
}
