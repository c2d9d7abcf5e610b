import { el } from '../dom/el.js';

const STEPS = { ArrowDown: 1, ArrowUp: -1 };

/**
 * Opens a menu at a button. It closes on a choice, on Escape and on a click elsewhere, and gives the focus back.
 *
 * @param items each `{ label, click, danger? }`
 */
export function openMenu(button, items) {
  const menu = el('div', { class: 'menu-list', role: 'menu', popover: 'auto', 'data-testid': 'menu' });
  for (const { label, click, danger } of items) {
    const choose = () => {
      menu.hidePopover();
      click();
    };
    menu.append(
      el('button', { type: 'button', role: 'menuitem', 'data-danger': danger, on: { click: choose } }, label),
    );
  }
  menu.addEventListener('keydown', (event) => step(event, menu));
  menu.addEventListener('toggle', ({ newState }) => newState === 'closed' && menu.remove());
  document.body.append(menu);
  menu.showPopover({ source: button });
  place(menu, button.getBoundingClientRect());
  menu.firstElementChild.focus();
}

function step(event, menu) {
  // Escape closes the menu, but does not stop the answer.
  if (event.key === 'Escape') event.stopPropagation();
  const by = STEPS[event.key];
  if (!by) return;
  event.preventDefault();
  const choices = [...menu.children];
  const next = choices.indexOf(document.activeElement) + by;
  choices.at(next % choices.length).focus();
}

/** Places the menu below the button, or above it if there is no room. */
function place(menu, { left, top, bottom }) {
  const { width, height } = menu.getBoundingClientRect();
  const below = bottom + height + 8 <= innerHeight;
  menu.style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`;
  menu.style.top = `${below ? bottom + 4 : Math.max(8, top - height - 4)}px`;
}
