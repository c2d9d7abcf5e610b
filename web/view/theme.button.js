import { el, set } from '../dom/el.js';
import { icon } from '../dom/icons.js';

const THEMES = [
  { theme: 'system', icon: 'system', label: 'Theme: system' },
  { theme: 'light', icon: 'sun', label: 'Theme: light' },
  { theme: 'dark', icon: 'moon', label: 'Theme: dark' },
];

/** Goes through the themes; the choice is remembered. `theme-early.js` applies it before the first paint. */
export function themeButton() {
  const button = el('button', { type: 'button', class: 'quiet', 'data-testid': 'theme' });
  let index = THEMES.findIndex(({ theme }) => theme === (document.documentElement.dataset.theme ?? 'system'));
  const show = () => {
    const { icon: name, label } = THEMES[index];
    button.replaceChildren(icon(name));
    set(button, 'aria-label', label);
    set(button, 'title', label);
  };
  button.addEventListener('click', () => {
    index = (index + 1) % THEMES.length;
    const { theme } = THEMES[index];
    if (theme === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    remember(theme);
    show();
  });
  show();
  return button;
}

function remember(theme) {
  try {
    if (theme === 'system') localStorage.removeItem('theme');
    else localStorage.setItem('theme', theme);
  } catch {
    // Then it holds for this visit.
  }
}
