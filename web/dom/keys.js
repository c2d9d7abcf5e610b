const OPTION_TYPES = /Mac|iPhone|iPad/.test(navigator.platform);

/** True if the key belongs to the composition of an input method. Safari ends the composition before it sends the key, with code 229. */
export function isComposing({ isComposing: composes, keyCode }) {
  return composes || keyCode === 229;
}

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

/** True if the key goes into a field, in whichever shadow tree that is. */
function isInField(event) {
  const [target] = event.composedPath();
  return target instanceof Element && target.closest('input, textarea, select, [contenteditable]') !== null;
}

/** True if Alt is held for a shortcut, not to type a character: Windows reports AltGr as Ctrl with Alt, and on a Mac Option types. */
function isAltShortcut(event) {
  if (!event.altKey || event.ctrlKey || event.metaKey || event.getModifierState('AltGraph')) return false;
  return !(OPTION_TYPES && isInField(event));
}
