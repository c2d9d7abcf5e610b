/** True for a part that needs, or needed, an answer from outside. */
export function isInputPart(part) {
  return 'inputId' in part;
}

/** Lists the inputs that an answer still waits for. Empty if a later message has closed them. */
export function listOpen(entries) {
  const last = entries.at(-1);
  if (last?.view?.status !== 'awaiting-input' || last.closed) return [];
  return last.view.parts
    .filter((part) => isInputPart(part) && !part.decision)
    .map((part) => ({ key: last.key, part }));
}
