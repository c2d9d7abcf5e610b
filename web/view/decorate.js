import { lazily } from '../dom/lazily.js';
import { toLanguage } from './languages.js';

/** Characters above which code keeps one colour: its elements come in one go, within a frame of a slow phone. */
const MOST_CODE = 20_000;
/** Characters of a formula above which it stays as it was written. */
const MOST_FORMULA = 2_000;
/** Milliseconds for this in one frame. */
const FRAME_MS = 12;

const loadHighlight = lazily(() => import('./highlight.js'));
const loadFormulas = lazily(() => import('./formulas.js'));

/** Elements that wait for their turn, each with what is done to it. */
let queue = [];

/**
 * Colours the code and sets the formulas of a block that will not change any more. What that takes is loaded when there is the first of them. Until then, and
 * if it cannot be loaded, they stay as they were written.
 */
export function decorate(block) {
  for (const code of block.querySelectorAll('.code[data-language] code')) {
    const language = toLanguage(code.closest('.code').dataset.language);
    if (language && code.textContent.length <= MOST_CODE)
      add(code, async () => (await loadHighlight()).highlight(code, language));
  }
  for (const code of block.querySelectorAll('code.formula')) {
    if (code.textContent.length > MOST_FORMULA) continue;
    add(code, async () => {
      const { typeset } = await loadFormulas();
      return () => typeset(code);
    });
  }
}

/** @param prepare does what need not be done in a frame, and resolves with the function that changes the element */
function add(element, prepare) {
  queue.push({ element, prepare });
  if (queue.length === 1) setTimeout(work);
}

/** Works through the queue, a little in each frame. */
async function work() {
  let start = performance.now();
  while (queue.length > 0) {
    const { element, prepare } = queue[0];
    try {
      const change = await prepare();
      if (performance.now() - start > FRAME_MS) {
        await nextFrame();
        start = performance.now();
      }
      // What a person has selected stays selected.
      if (element.isConnected && !isSelected(element)) change();
    } catch {
      // It stays as it was written.
    }
    queue = queue.slice(1);
  }
}

function isSelected(element) {
  const selection = getSelection();
  return selection !== null && !selection.isCollapsed && selection.containsNode(element, true);
}

/** Not by animation frames alone, which a hidden page does not have. */
function nextFrame() {
  return new Promise((resolve) =>
    document.hidden ? setTimeout(resolve) : requestAnimationFrame(() => setTimeout(resolve)),
  );
}
